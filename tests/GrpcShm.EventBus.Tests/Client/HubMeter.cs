using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>Reads what one hub measures, and not what others of this process do.</summary>
internal sealed class HubMeter : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _sums = new();

    public HubMeter(IServiceProvider hub)
    {
        var factory = hub.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "GrpcShm.EventBus" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
            _sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value));
        _listener.Start();
    }

    /// <summary>An instrument's present value, over all its tags.</summary>
    public long Read(string instrument)
    {
        lock (_listener)
        {
            _sums.Clear();
            _listener.RecordObservableInstruments();
            return _sums.GetValueOrDefault(instrument);
        }
    }

    public async Task WaitForAsync(string instrument, long atLeast)
    {
        await TimeLimit.UntilAsync(() => Read(instrument) >= atLeast);
    }

    public void Dispose() => _listener.Dispose();
}
