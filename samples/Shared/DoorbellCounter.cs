using System.Diagnostics.Metrics;

namespace Samples;

/// <summary>Counts this process's doorbells, by the meter of the shared-memory transport.</summary>
internal sealed class DoorbellCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private Counts _pushed;
    private Counts _observed;
    private bool _hasDoorbells;

    public DoorbellCounter()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "GrpcShm.Transport"
                && instrument.Name.StartsWith("grpcshm.doorbells.", StringComparison.Ordinal))
            {
                _hasDoorbells = true;
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument, value));
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => Add(instrument, value));
        _listener.Start();
    }

    /// <summary>The doorbells rung and saved since the start; null if the transport has no doorbells.</summary>
    public (long? Rung, long? Saved) Read()
    {
        lock (_lock)
        {
            // An observed counter reports its total each time, a pushed counter reports the added value.
            _observed = default;
            _listener.RecordObservableInstruments();
            return _hasDoorbells ? (_pushed.Rung + _observed.Rung, _pushed.Saved + _observed.Saved) : (null, null);
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, long value)
    {
        lock (_lock)
        {
            ref var counts = ref instrument.IsObservable ? ref _observed : ref _pushed;
            if (instrument.Name.EndsWith(".rung", StringComparison.Ordinal))
            {
                counts.Rung += value;
            }
            else if (instrument.Name.EndsWith(".saved", StringComparison.Ordinal))
            {
                counts.Saved += value;
            }
        }
    }

    private struct Counts
    {
        public long Rung;
        public long Saved;
    }
}
