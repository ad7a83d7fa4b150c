package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"clawfs/backing"
	"clawfs/fs"
	"clawfs/fs/ledger"
	"clawfs/fs/mountpoint"
	"clawfs/fs/takeover"
)

type upgradeOptions struct {
	noRestart bool
	reload    bool
}

func newUpgradeCommand(out streams) *cobra.Command {
	var o upgradeOptions
	cmd := &cobra.Command{
		Use:   "upgrade [flags] DIR",
		Short: "Hand a mount over to this version of clawfs",
		Long: "upgrade has this program serve a mount that was made with --takeover, in the place of the version\n" +
			"that serves it now. No request fails, and open files, locks and watches go on: requests wait for some\n" +
			"tenths of a second. It returns when this version serves.\n\n" +
			"This version first looks whether it understands what the other one leaves. If it does not, the mount\n" +
			"is taken away and made anew: programs lose the files and directories that they have open there for\n" +
			"more than ten seconds, and all locks and watches, and meanwhile the directory is an ordinary one.\n" +
			"With --no-restart the other version goes on instead.",
		Args:              oneDirectory,
		ValidArgsFunction: completeMounts,
		Annotations:       exitStatus(exitDone, exitFailed, exitUsage, exitNotMounted),
		Example:           "  clawfs upgrade --no-restart ~/.openclaw",
		RunE: func(cmd *cobra.Command, args []string) error {
			return upgrade(cmd.Context(), args[0], o, out)
		},
	}
	cmd.Flags().BoolVar(&o.noRestart, "no-restart", false, "leave the mount as it is where this version can't take over")
	cmd.Flags().BoolVar(&o.reload, "reload", false, "have the configuration read again, too, and leave a mount without --takeover as it is, for a service manager")
	cmd.Flags().SortFlags = false
	return cmd
}

// upgrade hands a mount over to this program, and says how that went. Errors: *notMountedError,
// *silentError, *unsupervisedError, *failure, or the system's.
func upgrade(ctx context.Context, name string, o upgradeOptions, out streams) error {
	m, err := mountpoint.Find(name)
	if err != nil {
		return err
	}
	if !m.IsClawfs() || m.IsDead() {
		return notMounted(m)
	}
	before := statusOf(ctx, m)
	if before.State != stateServing {
		return &silentError{Dir: m.Dir, PID: before.PID}
	}
	if o.reload {
		if err := unix.Kill(before.PID, unix.SIGHUP); err != nil {
			return os.NewSyscallError("kill", err)
		}
	}
	if before.Takeover == nil {
		if o.reload {
			return nil
		}
		return &unsupervisedError{Dir: m.Dir}
	}
	answer, err := askForUpgrade(ctx, m, takeover.Upgrade{Restart: !o.noRestart})
	if err != nil {
		return err
	}
	return out.tellUpgrade(m, before, statusOf(ctx, m), answer)
}

// askForUpgrade asks the supervisor of a mount, by way of the daemon, and waits for the outcome.
func askForUpgrade(ctx context.Context, m mountpoint.Point, wish takeover.Upgrade) (answer takeover.Upgraded, err error) {
	text, err := json.Marshal(wish)
	if err != nil {
		return answer, err
	}
	conn, err := ask(m, askUpgrade+" "+string(text))
	if err != nil {
		return answer, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })()
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return answer, errors.Join(ctx.Err(), fmt.Errorf("the outcome of the upgrade of %s can't be told, see its log: %w", m.Dir, err))
	}
	return answer, nil
}

// tellUpgrade says how an upgrade went. A refusal is an error.
func (s streams) tellUpgrade(m mountpoint.Point, before, after status, a takeover.Upgraded) error {
	var why failure
	_ = json.Unmarshal(a.Why, &why)
	served := fmt.Sprintf("%s is served by version %s, process %d; before it was version %s, process %d", m.Dir, after.Version, after.PID, before.Version, before.PID)
	switch a.Outcome {
	case takeover.HandedOver:
		s.talk("%s; requests waited for %s at most", served, seconds(a.Seconds))
		return nil
	case takeover.AlreadyServes:
		s.talk("%s is served by this program already, process %d", m.Dir, before.PID)
		return nil
	case takeover.MountedAnew:
		s.talk("this version could not take over: %s", why.Message)
		s.talk("%s", served)
		s.talk("the mount was made anew, which took %s: files and directories that programs had open there for more than %s after its begin "+
			"are lost to them, and so are all locks and watches; what programs wrote to the directory meanwhile was not checked or merged",
			seconds(a.Seconds), drainLimit)
		return nil
	}
	if why.Message == "" {
		why.Message = a.Reason
	} else if a.Reason != "" {
		why.Message = a.Reason + ": " + why.Message
	}
	return &failure{Code: exitFailed, Message: fmt.Sprintf("the former version goes on to serve %s: %s", m.Dir, why.Message), Hint: why.Hint}
}

// answerUpgrade is the daemon's side of upgrade: the supervisor does it.
func (s *servedDir) answerUpgrade(c *conversation) {
	var wish takeover.Upgrade
	asker, ok := c.conn.(*net.UnixConn)
	err := json.Unmarshal([]byte(c.argument), &wish)
	switch {
	case s.keeper == nil:
		err = &unsupervisedError{Dir: s.path}
	case !ok:
		err = errors.New("the command does not ask by a socket of this machine")
	case err == nil:
		err = s.keeper.Upgrade(wish, asker)
	}
	if err != nil {
		_ = c.send(takeover.Upgraded{Outcome: takeover.Refused, Reason: err.Error()})
	}
}

// waitToTakeOver looks whether this daemon could take a mount over that another one still serves, says so, and
// waits for that. An error says that it is to end.
func waitToTakeOver(k *takeover.Keeper, o *mountOptions, log *zap.Logger) error {
	err := checkTakeover(k, o)
	if err == nil {
		return k.Able()
	}
	why := classify(err)
	var format *ledger.FormatError
	var protocol *takeover.ProtocolError
	var negotiation *takeover.NegotiationError
	anew := errors.As(err, &format) || errors.As(err, &protocol) || errors.As(err, &negotiation)
	log.Warn("this version can't take the mount over", zap.Error(err), zap.Bool("can_mount_anew", anew))
	text, _ := json.Marshal(why) // it has strings and a number
	k.Unable(text, anew)
	return err
}

// checkTakeover looks whether this daemon could take a mount over that another one still serves. It changes nothing.
func checkTakeover(k *takeover.Keeper, given *mountOptions) error {
	c := k.Connection()
	live, err := given.live(c.Dir)
	if err != nil {
		return err
	}
	dir, err := backing.Open(fmt.Sprintf("/proc/self/fd/%d/.", c.Root), backing.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	if err := dir.Close(); err != nil {
		return err
	}
	if err := k.CheckProtocol(); err != nil {
		return err
	}
	o := live.now.Load().options
	return fs.CheckTakeover(c, fs.Options{AllowOther: o.allowOther, Debug: o.debugFUSE, Without: o.without})
}
