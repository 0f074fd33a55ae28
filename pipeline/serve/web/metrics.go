package web

import (
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"icebox/pipeline/serve"
)

// Metrics are what Prometheus is told.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	refused  prometheus.Counter
	images   prometheus.Counter
	batches  prometheus.Histogram
	waited   prometheus.Histogram
	reloads  *prometheus.CounterVec
}

// NewMetrics returns metrics of nothing yet.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "icebox_requests_total", Help: "Requests that were answered."}, []string{"dialect", "path", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "icebox_request_seconds", Help: "How long an answer took.",
			Buckets: []float64{.002, .005, .01, .02, .03, .05, .075, .1, .15, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"dialect"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "icebox_refused_total", Help: "Requests that were refused because too many came."}),
		images:  prometheus.NewCounter(prometheus.CounterOpts{Name: "icebox_images_total", Help: "Images, crops and rows of features that were answered for; its rate is images a second."}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "icebox_batch_images", Help: "Images that a worker computed at once.", Buckets: []float64{1, 2, 4, 8, 12, serve.MaxBatch}}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "icebox_queue_seconds", Help: "How long the first image of a batch waited.",
			Buckets: []float64{.0001, .001, .005, .01, .025, .05, .1, .25, .5, 1, 5}}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "icebox_reloads_total", Help: "Newer runs that were found, by what became of them: promoted, kept (it is worse, or not better) or failed."}, []string{"model", "result"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.refused, m.images, m.batches, m.waited, m.reloads,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Batched hears of a batch; see serve.BackboneOptions.
func (m *Metrics) Batched(images int, waited time.Duration) {
	m.batches.Observe(float64(images))
	m.waited.Observe(waited.Seconds())
}

// Reloaded hears what became of a newer run: promoted, kept or failed.
func (m *Metrics) Reloaded(model, result string) { m.reloads.WithLabelValues(model, result).Inc() }

func (m *Metrics) answered(r route, status int, took time.Duration) {
	m.requests.WithLabelValues(r.dialect.name, r.path, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(r.dialect.name).Observe(took.Seconds())
}

// follow has the models of a shelf tell of themselves when somebody asks.
func (m *Metrics) follow(shelf *serve.Shelf) { m.registry.MustRegister(shelfCollector{shelf}) }

// shelfCollector collects what changes with the models.
type shelfCollector struct{ shelf *serve.Shelf }

var (
	modelInfo = prometheus.NewDesc("icebox_model_info", "1 for each model that is served, with its version.", []string{"model", "version"}, nil)
	waiting   = prometheus.NewDesc("icebox_queue_images", "Images that wait.", []string{"model"}, nil)
	unknown   = prometheus.NewDesc("icebox_drift_unknown_share", "Share of the last 1,000 images, or so, that the head calls unknown.", []string{"model"}, nil)
	topMean   = prometheus.NewDesc("icebox_drift_top_probability", "Mean probability of the likeliest class over the last 1,000 images, or so.", []string{"model"}, nil)
	distance  = prometheus.NewDesc("icebox_drift_feature_distance", "How far the mean feature of the last 1,000 images, or so, lies from that of the training images, in standard deviations of theirs (root mean square over the features).", []string{"model"}, nil)
)

// Describe implements [prometheus.Collector].
func (c shelfCollector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{modelInfo, waiting, unknown, topMean, distance} {
		to <- d
	}
}

// Collect implements [prometheus.Collector].
func (c shelfCollector) Collect(to chan<- prometheus.Metric) {
	for _, name := range c.shelf.Names() {
		place, err := c.shelf.Find(name, "")
		if err != nil {
			continue
		}
		model := place.Model()
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			if !math.IsNaN(v) {
				to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
			}
		}
		gauge(modelInfo, 1, name, model.Version)
		if model.Backbone != nil {
			gauge(waiting, float64(model.Backbone.Waiting()), name)
		}
		share, top, far := place.Drift.Now(model.Training)
		gauge(unknown, share, name)
		gauge(topMean, top, name)
		gauge(distance, far, name)
	}
}
