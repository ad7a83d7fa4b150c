package enginetest_test

import (
	"testing"

	"clawfs/backing/cluster"
	"clawfs/backing/cluster/enginetest"
)

func TestMemory(t *testing.T) {
	enginetest.Run(t, func(*testing.T) (a, b cluster.Engine, prefix string) {
		m := enginetest.NewMemory()
		return m.Client(), m.Client(), "test/"
	})
}
