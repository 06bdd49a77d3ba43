using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using GrpcShm.EventBus.Tests.Conformance;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>
/// A listener to spans or metrics that throws ends neither a receiver nor a session, and fails no send.
/// </summary>
public sealed class FailingListenerTests : ClientTest, IDisposable
{
    private readonly RecordingLoggerProvider _log = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly string _machine = $"watched-{Guid.NewGuid():N}";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Spans_ListenerThrows_AllIsHandledAndOneLineSaysIt(bool isOfTheHub)
    {
        // Other tests have spans, too: only those of this one's machine are failed.
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "GrpcShm.EventBus",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = ThrowIfMine,
            ActivityStopped = ThrowIfMine,
        };
        ActivitySource.AddActivityListener(listener);

        await VerifyAsync(isOfTheHub);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Metrics_ListenerThrows_AllIsHandledAndOneLineSaysIt(bool isOfTheHub)
    {
        IMeterFactory[] mine =
        [
            Server.Services.GetRequiredService<IMeterFactory>(), _services.GetRequiredService<IMeterFactory>(),
        ];
        var thrown = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "GrpcShm.EventBus" && mine.Contains(instrument.Meter.Scope))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => Throw(ref thrown));
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Throw(ref thrown));
        listener.Start();

        await VerifyAsync(isOfTheHub);

        Assert.True(thrown > 10, $"The listener threw {thrown} times.");
    }

    public void Dispose() => _services.Dispose();

    protected override void Build(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(_log);
    }

    private static void Throw(ref int count)
    {
        Interlocked.Increment(ref count);
        throw new InvalidOperationException("A listener's own.");
    }

    private void ThrowIfMine(Activity activity)
    {
        if (activity.OperationName.EndsWith(_machine, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("A listener's own.");
        }
    }

    private async Task VerifyAsync(bool isOfTheHub)
    {
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(_log));
        ITestedBus bus = isOfTheHub ? new HubBus(Server.Hub) : new ClientBus(await ConnectClientAsync(options =>
        {
            options.LoggerFactory = loggers;
            options.MeterFactory = _services.GetRequiredService<IMeterFactory>();
        }));
        var sender = await ConnectClientAsync();
        var events = Channel.CreateUnbounded<string>();
        using var machine = await bus.RegisterMachineAsync(
            _machine,
            received =>
            {
                received.NewState = received.EventName;
                return events.Writer.WriteAsync(received.EventName).AsTask();
            },
            null,
            CancellationToken.None).InTime();

        var processed = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
        for (var i = 0; i < 5; i++)
        {
            await sender.SendEventAsync("s", _machine, $"BY-OTHER-{i}").InTime();
            await bus.SendEventAsync("s", _machine, $"OWN-{i}", null, CancellationToken.None).InTime();
            var result = await bus.SendEventAsync(
                "s", _machine, $"PROCESSED-{i}", null, processed, CancellationToken.None).InTime();
            Assert.Equal($"PROCESSED-{i}", result.NewState);
        }

        var handled = await events.Reader.ReadAllAsync().Take(15).ToArrayAsync().AsTask().InTime();
        Assert.Equal(15, handled.Distinct().Count());
        Assert.Equal(EventBusConnectionState.Connected, sender.State);
        Assert.InRange(_log.Lines.Count(line => line.Contains("listener", StringComparison.Ordinal)), 1, 4);
    }
}
