package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"clawfs/cmd/clawfs/listen"
	"clawfs/txn"
)

// serveMetrics serves the counts of the counters in Prometheus's format, until the
// function that it returns is called. The error is a *metricsError.
func (s *servedDir) serveMetrics(address string) (stop func(), err error) {
	listener, err := listen.At(address)
	if err != nil {
		return nil, &metricsError{Address: address, Err: err}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(s, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	server := &http.Server{Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), ReadHeaderTimeout: askPatience}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("metrics are no longer served", zap.Error(err))
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, nil
}

// metric is one number that is exported.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	read       func(*servedDir, *tally) float64
}

func exported() []metric {
	return []metric{
		{"clawfs_conflicts_total", "Conflicts that the policy decided.", prometheus.CounterValue,
			func(_ *servedDir, t *tally) float64 { return float64(t.conflicts) }},
		{"clawfs_adopted_total", "Changes that were made behind clawfs and adopted.", prometheus.CounterValue,
			func(_ *servedDir, t *tally) float64 { return float64(t.adopted) }},
		{"clawfs_recovered_total", "Invalid registries in whose place an older version was put.", prometheus.CounterValue,
			func(_ *servedDir, t *tally) float64 { return float64(t.recovered) }},
		{"clawfs_open_transactions", "Transactions that are open.", prometheus.GaugeValue,
			func(s *servedDir, _ *tally) float64 { return float64(s.store.Transactions()) }},
		{"clawfs_takeovers_total", "Daemons that have died and were replaced by another one.", prometheus.CounterValue,
			func(s *servedDir, _ *tally) float64 { return float64(s.takeovers()) }},
		{"clawfs_start_time_seconds", "When the mount began to serve, in seconds since 1970.", prometheus.GaugeValue,
			func(s *servedDir, _ *tally) float64 { return float64(s.since.UnixNano()) / 1e9 }},
	}
}

func (m metric) describe() *prometheus.Desc { return describe(m.name, m.help) }

// describe returns the description of a metric. Each has the directory as a label.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"dir"}, labels...), nil)
}

func describeTransactions() *prometheus.Desc {
	return describe("clawfs_transactions_total", "Transactions that have ended, by outcome.", "outcome")
}

func describeBatches() *prometheus.Desc {
	return describe("clawfs_batch_seconds", "How long batches of commits took to be on disk.")
}

// takeovers returns how many daemons have died before this one took over.
func (s *servedDir) takeovers() int {
	if s.keeper == nil {
		return 0
	}
	return s.keeper.Past().Generation - 1
}

// Describe is prometheus.Collector's.
func (s *servedDir) Describe(to chan<- *prometheus.Desc) {
	for _, m := range exported() {
		to <- m.describe()
	}
	to <- describeTransactions()
	to <- describeBatches()
}

// Collect is prometheus.Collector's.
func (s *servedDir) Collect(to chan<- prometheus.Metric) {
	t := s.counters.tally()
	for _, m := range exported() {
		to <- prometheus.MustNewConstMetric(m.describe(), m.kind, m.read(s, &t), s.path)
	}
	for o := txn.Committed; o <= txn.Aborted; o++ {
		to <- prometheus.MustNewConstMetric(describeTransactions(), prometheus.CounterValue, float64(t.outcomes[o]), s.path, o.String())
	}
	to <- prometheus.MustNewConstHistogram(describeBatches(), t.writes.n, t.writes.sum.Seconds(), t.writes.cumulative(), s.path)
}

// cumulative returns, by the end of each bucket in seconds, how many times it and
// those before hold.
func (d *durations) cumulative() map[float64]uint64 {
	out := make(map[float64]uint64, buckets)
	var seen uint64
	for i, end := 0, firstBucket; i < buckets; i, end = i+1, 2*end {
		seen += d.counts[i]
		out[end.Seconds()] = seen
	}
	return out
}
