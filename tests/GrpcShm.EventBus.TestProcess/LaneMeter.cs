using System.Diagnostics.Metrics;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Counts the events that the clients that have it have sent over lanes.</summary>
internal sealed class LaneMeter : IMeterFactory
{
    private readonly List<Meter> _meters = [];
    private readonly MeterListener _listener = new();
    private long _events;

    public LaneMeter()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "grpcshm.eventbus.lane.messages" && ReferenceEquals(instrument.Meter.Scope, this))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _events, value));
        _listener.Start();
    }

    /// <summary>How many events the other sides have taken.</summary>
    public long Events => Interlocked.Read(ref _events);

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meters.ForEach(static meter => meter.Dispose());
    }
}
