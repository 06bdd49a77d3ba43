using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class DiagnosticsTests : ClientTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_WithATraceListener_HandlerIsAChildOfTheSend(bool sameClient)
    {
        var activities = new ConcurrentQueue<Activity>();
        using var listener = Listen(activities);
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
    public async Task Publish_WithATraceListener_EachHandlerIsAChildOfIt()
    {
        var activities = new ConcurrentQueue<Activity>();
        using var listener = Listen(activities);
        var publisher = await ConnectClientAsync();
        var receiver = await ConnectClientAsync();
        var group = $"group-{Guid.NewGuid():N}";
        var handling = System.Threading.Channels.Channel.CreateUnbounded<Activity>();
        await receiver.SubscribeToGroupAsync(
            group, _ => handling.Writer.WriteAsync(Activity.Current!).AsTask()).InTime();
        await receiver.RegisterMachineAsync(
            "member",
            _ => handling.Writer.WriteAsync(Activity.Current!).AsTask(),
            new MachineOptions { Groups = [group] }).InTime();

        Assert.Equal(2, await publisher.PublishAsync("E", null, new EventPublishOptions { Group = group }).InTime());

        Activity[] handlings = [await handling.Reader.ReadAsync().InTime(), await handling.Reader.ReadAsync().InTime()];
        var publish = Assert.Single(activities, activity => activity.OperationName == $"publish {group}");
        Assert.Equal(ActivityKind.Producer, publish.Kind);
        Assert.Equal("publish", publish.GetTagItem("messaging.operation.name"));
        Assert.Equal("send", publish.GetTagItem("messaging.operation.type"));
        Assert.All(handlings, process =>
        {
            Assert.Equal("process", process.OperationName);
            Assert.Equal(publish.SpanId, process.ParentSpanId);
            Assert.Null(process.GetTagItem("messaging.destination.name"));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_ThatWaits_ItsSpanLastsUntilTheAnswerAndSaysHowItFailed(bool sameClient)
    {
        var activities = new ConcurrentQueue<Activity>();
        using var listener = Listen(activities);
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var target = $"traced-{Guid.NewGuid():N}";
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await receiver.RegisterMachineAsync(target, async _ =>
        {
            begun.SetResult();
            await release.Task;
            throw new InvalidOperationException("broken");
        }).InTime();
        using var outer = new Activity("outer").Start();

        var sending = sender.SendEventAsync(
            "s", target, "E", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed });
        Assert.Same(outer, Activity.Current);
        await begun.Task.InTime();
        Assert.DoesNotContain(activities, activity => activity.OperationName == $"send {target}");
        release.SetResult();
        await FailsAsync(sending, StatusCode.Unknown);

        var send = Assert.Single(activities, activity => activity.OperationName == $"send {target}");
        Assert.Equal(outer.SpanId, send.ParentSpanId);
        Assert.Equal(ActivityStatusCode.Error, send.Status);
        Assert.Equal("Unknown", send.GetTagItem("error.type"));
        Assert.Same(outer, Activity.Current);
    }

    [Fact]
    public async Task Hub_WithAMeterListener_CountsWhatItTakesRefusesDeliversAndDrops()
    {
        using var meter = new HubMeter(Server.Services);
        var sender = await ConnectClientAsync();
        var receiver = await ConnectClientAsync();
        var release = new TaskCompletionSource();
        var handled = 0;
        await receiver.RegisterMachineAsync("m", async _ =>
        {
            await release.Task;
            handled++;
        }, new MachineOptions { MailboxCapacity = 2, OverflowPolicy = OverflowPolicy.DropNewest }).InTime();
        Assert.Equal(1, meter.Read("grpcshm.eventbus.machines"));
        Assert.Equal(1, meter.Read("grpcshm.eventbus.subscriptions"));
        Assert.Equal(2, meter.Read("grpcshm.eventbus.sessions"));

        for (var i = 0; i < 10; i++)
        {
            await sender.SendEventAsync("s", "m", "E").InTime();
        }

        await FailsAsync(sender.SendEventAsync("s", "nobody", "E"), StatusCode.NotFound);
        Assert.Equal(10, meter.Read("grpcshm.eventbus.accepted.messages"));
        Assert.Equal(1, meter.Read("grpcshm.eventbus.refused.messages"));
        var dropped = meter.Read("grpcshm.eventbus.dropped.messages");
        Assert.InRange(dropped, 1, 8);
        release.SetResult();
        await meter.WaitForAsync("grpcshm.eventbus.delivered.messages", 10 - dropped);
        Assert.Equal(10 - dropped, meter.Read("grpcshm.eventbus.delivered.messages"));
    }

    [Fact]
    public async Task HealthChecks_WhenTheHubStops_AreUnhealthyAndTheClientIsDegraded()
    {
        var client = await ConnectClientAsync();
        var changed = new TaskCompletionSource();
        client.ConnectionChanged += (_, change) =>
        {
            if (change.State == EventBusConnectionState.Reconnecting)
            {
                changed.TrySetResult();
            }
        };
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(client);
        services.AddSingleton(Server.Services.GetRequiredService<HubCore>());
        services.AddHealthChecks().AddEventBus().AddEventBusClient();
        await using var provider = services.BuildServiceProvider();

        await Server.StopAsync().InTime();
        await changed.Task.InTime();
        var report = await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync().InTime();

        Assert.Equal(HealthStatus.Unhealthy, report.Entries["eventbus"].Status);
        Assert.Equal(HealthStatus.Degraded, report.Entries["eventbus-client"].Status);
    }

    [Fact]
    public async Task SendEvent_WithAMeterListener_IsCountedByTheConventions()
    {
        var names = new ConcurrentDictionary<string, string?>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "GrpcShm.EventBus"
                    && instrument.Name.StartsWith("messaging.", StringComparison.Ordinal))
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

    private static ActivityListener Listen(ConcurrentQueue<Activity> activities)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "GrpcShm.EventBus",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activities.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
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
