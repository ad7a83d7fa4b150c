my ($file, $library) = @ARGV;
eval "require $library" or die $@;
open my $in, '<:raw', $file or die; my $text = do { local $/; <$in> }; close $in;
my ($value, $print);
if ($library eq 'Mojo::JSON') { $value = Mojo::JSON::decode_json($text); $print = \&Mojo::JSON::encode_json }
else { my $j = $library->new->utf8->pretty; $value = $j->decode($text); $print = sub { $j->encode($_[0]) } }
$| = 1; print "ready\n"; <STDIN>;
$value->{added} = 1;
open my $out, '>:raw', $file or die; print $out $print->($value); close $out or die;
