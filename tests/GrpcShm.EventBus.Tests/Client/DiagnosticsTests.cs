using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class DiagnosticsTests : ClientTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_WithATraceListener_HandlerIsAChildOfTheSend(bool sameClient)
    {
        var activities = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "GrpcShm.EventBus",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var target = $"traced-{Guid.NewGuid():N}";
        var current = new TaskCompletionSource<Activity?>();
        await receiver.RegisterMachineAsync(target, _ =>
        {
            current.SetResult(Activity.Current);
            return Task.CompletedTask;
        }).InTime();

        await sender.SendEventAsync("s", target, "E").InTime();

        var process = await current.Task.InTime();
        var send = Assert.Single(activities, activity => activity.OperationName == $"send {target}");
        Assert.Equal(ActivityKind.Producer, send.Kind);
        Assert.Equal(ActivityKind.Consumer, process!.Kind);
        Assert.Equal(send.TraceId, process.TraceId);
        Assert.Equal(send.SpanId, process.ParentSpanId);
        Assert.Equal("xstatenet", process.GetTagItem("messaging.system"));
        Assert.Equal(target, process.GetTagItem("messaging.destination.name"));
    }

    [Fact]
    public async Task SendEvent_WithAMeterListener_IsCountedByTheConventions()
    {
        var names = new ConcurrentDictionary<string, string?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GrpcShm.EventBus" && instrument.Name.StartsWith("messaging.", StringComparison.Ordinal))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) => names[instrument.Name] = instrument.Unit);
        listener.SetMeasurementEventCallback<double>((instrument, _, _, _) => names[instrument.Name] = instrument.Unit);
        listener.Start();
        var receiver = await ConnectClientAsync();
        var sender = await ConnectClientAsync();
        var events = await ReceiveAsync(receiver, "m");

        await sender.SendEventAsync("s", "m", "FIRST").InTime();
        await sender.SendEventAsync("s", "m", "SECOND").InTime();
        await events.ReadAsync().InTime();

        // The first one's handling has been measured when the second one is handled.
        await events.ReadAsync().InTime();
        Assert.Equal("{message}", names["messaging.client.sent.messages"]);
        Assert.Equal("{message}", names["messaging.client.consumed.messages"]);
        Assert.Equal("s", names["messaging.client.operation.duration"]);
        Assert.Equal("s", names["messaging.process.duration"]);
    }

    [Fact]
    public async Task HealthChecks_OfHubAndClient_SayHowTheyAre()
    {
        var client = await ConnectClientAsync();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddEventBus();
        services.AddSingleton<IHostApplicationLifetime, NeverStopping>();
        services.AddSingleton(client);
        services.AddHealthChecks().AddEventBus().AddEventBusClient();
        await using var provider = services.BuildServiceProvider();
        var checks = provider.GetRequiredService<HealthCheckService>();

        var connected = await checks.CheckHealthAsync().InTime();
        await client.DisconnectAsync().InTime();
        var disconnected = await checks.CheckHealthAsync().InTime();

        Assert.Equal(HealthStatus.Healthy, connected.Status);
        Assert.Equal(HealthStatus.Healthy, disconnected.Entries["eventbus"].Status);
        Assert.Equal(HealthStatus.Unhealthy, disconnected.Entries["eventbus-client"].Status);
    }

    private sealed class NeverStopping : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
        }
    }
}
