# interrupted.pl FILE SECONDS: writes and reads FILE while a signal arrives every
# millisecond, with system calls that are not restarted. Prints what was told, and
# how often, and the number of the last document that was stored.
use strict;
use warnings;
use Fcntl;
use POSIX ();
use Time::HiRes qw(setitimer ITIMER_REAL time);

my ($path, $seconds) = @ARGV;
my $end = time() + $seconds;
my $signals = 0;
my $count = POSIX::SigAction->new(sub { $signals++ }, POSIX::SigSet->new(), 0);
$count->safe(1); # perl counts between two of its steps, as its own memory may be in use; calls are interrupted all the same
POSIX::sigaction(POSIX::SIGALRM(), $count);
setitimer(ITIMER_REAL, 0.001, 0.001);

my %told;
sub told { my ($call, $ok) = @_; $told{$call . ' ' . ($ok ? 'ok' : $!{EINTR} ? 'EINTR' : "$!")}++; return $ok }

my $n = 0;
my $stored = 0;
while (time() < $end) {
  $n++;
  my $text = qq({"n": $n, "padding": ") . 'x' x 5000 . qq("});
  my $target = $n % 2 ? $path : "$path.tmp";
  my $fd = POSIX::open($target, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  next unless told('open', defined $fd);
  my $wrote = POSIX::write($fd, $text, length $text);
  told('write', defined $wrote && $wrote == length $text);
  told('fsync', syscall(74, $fd) == 0) if $^O eq 'linux' && (POSIX::uname())[4] eq 'x86_64' && $n % 5 == 0;
  my $closed = told('close', defined POSIX::close($fd));
  $closed = told('rename', rename($target, $path)) if $target ne $path && $closed;
  $stored = $n if $closed;
}
setitimer(ITIMER_REAL, 0);
print "$_: $told{$_}\n" for sort keys %told;
print "signals: $signals\nstored: $stored\n";
