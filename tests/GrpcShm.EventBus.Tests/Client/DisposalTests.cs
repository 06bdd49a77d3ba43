using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>What becomes of sends when the client that they were made by is disposed of.</summary>
public sealed class DisposalTests : ClientTest
{
    [Fact]
    public async Task Dispose_AfterSendsThatNobodyAwaited_TheyArriveThoughTheChannelIsDisposedOfNext()
    {
        const int count = 1000;
        var receiver = await ConnectClientAsync();
        var inbox = await ReceiveAsync(receiver, "m");
        for (var round = 0; round < 4; round++)
        {
            var channel = HubChannel.To(Server.Socket);
            var sender = new EventClient(
                channel, new EventBusClientOptions { BlockingClosingTime = TimeLimit.Value });
            await sender.ConnectAsync().InTime();
            var sends = Enumerable.Range(0, count).Select(i => sender.SendEventAsync("s", "m", $"{i}")).ToArray();

            await Task.Run(sender.Dispose).InTime();
            var state = sender.State;
            channel.Dispose();

            Assert.Equal(EventBusConnectionState.Disconnected, state);
            await Task.WhenAll(sends).InTime();
            for (var i = 0; i < count; i++)
            {
                Assert.Equal($"{i}", (await inbox.ReadAsync().InTime()).EventName);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_WhileSendsWaitForRoom_TheyCompleteAndAreToldByAnEvent(bool sameClient)
    {
        var factory = Server.Services.GetRequiredService<IMeterFactory>();
        var counted = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "messaging.client.sent.messages"
                    && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (tags.ToArray().Contains(new KeyValuePair<string, object?>("error.type", "Unavailable")))
            {
                Interlocked.Add(ref counted, (int)value);
            }
        });
        listener.Start();
        var receiver = await ConnectClientAsync(
            options => (options.ReceiveWindow, options.MeterFactory) = (1, factory));
        var sender = sameClient ? receiver : await ConnectClientAsync(options => options.MeterFactory = factory);
        var failures = Channel.CreateUnbounded<EventSendFailure>();
        sender.SendFailed += (_, failure) => failures.Writer.TryWrite(failure);
        var release = new TaskCompletionSource();
        await receiver.RegisterMachineAsync(
            "m", _ => release.Task, new MachineOptions { MailboxCapacity = 1 }).InTime();
        var sends = Enumerable.Range(0, 20).Select(i => sender.SendEventAsync("s", "m", $"{i}")).ToArray();

        await Task.Run(sender.Dispose).InTime();

        await Task.WhenAll(sends).InTime();
        var failure = await failures.Reader.ReadAsync().InTime();
        Assert.Equal(StatusCode.Unavailable, failure.Exception.StatusCode);
        Assert.Equal("m", failure.TargetMachineId);

        // The last one that was sent surely found no room.
        var told = 1;
        for (; failure.EventName != "19"; told++)
        {
            failure = await failures.Reader.ReadAsync().InTime();
        }

        Assert.InRange(Volatile.Read(ref counted), told, sends.Length);

        release.SetResult();
    }

    [Fact]
    public async Task Dispose_WhileARequestWaits_ItFails()
    {
        var receiver = await ConnectClientAsync();
        var sender = await ConnectClientAsync();
        var release = new TaskCompletionSource();
        await receiver.RegisterMachineAsync("m", _ => release.Task).InTime();
        var request = sender.RequestAsync("s", "m", "ASK");
        var processed = sender.SendEventAsync(
            "s", "m", "DO", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed });

        await Task.Run(sender.Dispose).InTime();

        await FailsAsync(request, StatusCode.Unavailable);
        await FailsAsync(processed, StatusCode.Unavailable);
        release.SetResult();
    }

    [Fact]
    public async Task Disconnect_ListenerThrows_EndsAllTheSameAndTheClientCanConnectAgain()
    {
        var receiver = await ConnectClientAsync();
        var sender = await ConnectClientAsync();
        var release = new TaskCompletionSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await receiver.RegisterMachineAsync("m", _ =>
        {
            begun.TrySetResult();
            return release.Task;
        }).InTime();
        var factory = Server.Services.GetRequiredService<IMeterFactory>();
        Task[] sends;
        using (var listener = new MeterListener())
        {
            listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "messaging.client.operation.duration"
                    && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<double>(
                static (_, _, _, _) => throw new InvalidOperationException("on purpose"));
            listener.Start();
            sends = [.. Enumerable.Range(0, 3).Select(_ => sender.SendEventAsync(
                "s", "m", "DO", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed }))];
            await begun.Task.InTime();

            // The hub does not answer them.
            await sender.DisconnectAsync(new CancellationToken(canceled: true)).InTime();
        }

        foreach (var send in sends)
        {
            await FailsAsync(send, StatusCode.Unavailable);
        }

        await sender.ConnectAsync().InTime();
        Assert.Equal(EventBusConnectionState.Connected, sender.State);
        release.SetResult();
    }

    [Fact]
    public async Task AnySend_AfterDisposeOutsideOfHandlers_IsObjectDisposed()
    {
        var client = await ConnectClientAsync();
        client.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.SendEventAsync("s", "m", "E").InTime());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.RequestAsync("s", "m", "E").InTime());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.PublishAsync("E").InTime());
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => client.PublishStateChangeAsync("m", new MachineStateChange { NewState = "off" }).InTime());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ConnectAsync().InTime());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_InAHandlerAfterTheEnd_CompletesAndIsToldByAnEvent(bool dispose)
    {
        var sender = await ConnectClientAsync();
        var client = await ConnectClientAsync();
        var failures = Channel.CreateUnbounded<EventSendFailure>();
        client.SendFailed += (_, failure) => failures.Writer.TryWrite(failure);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var results = new TaskCompletionSource<EventSendResult>();
        await client.RegisterMachineAsync("m", received =>
        {
            // As in an async void method: nobody waits for it.
            _ = SendLaterAsync();
            return Task.CompletedTask;
        }).InTime();

        // The handler has returned then.
        await sender.SendEventAsync(
            "s", "m", "BEGIN", null, new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed })
            .InTime();
        if (dispose)
        {
            client.Dispose();
        }
        else
        {
            await client.DisconnectAsync().InTime();
        }

        ended.SetResult();

        var result = await results.Task.InTime();
        Assert.Equal(StatusCode.Unavailable, result.Failure!.StatusCode);
        foreach (var name in new[] { "PLAIN", "PUBLISHED", "PROCESSED" })
        {
            Assert.Equal(name, (await failures.Reader.ReadAsync().InTime()).EventName);
        }

        async Task SendLaterAsync()
        {
            await ended.Task;
            try
            {
                await client.SendEventAsync("m", "other", "PLAIN");
                await client.PublishAsync("PUBLISHED");
                results.SetResult(await client.SendEventAsync(
                    "m",
                    "other",
                    "PROCESSED",
                    null,
                    new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed }));
            }
            catch (Exception exception)
            {
                results.SetException(exception);
            }
        }
    }

    [Fact]
    public async Task SendEvent_InAHandlerOfTheFailureAfterDispose_CompletesAndIsNotToldWithoutEnd()
    {
        var client = await ConnectClientAsync();
        var told = 0;
        var sent = new TaskCompletionSource();
        client.SendFailed += async (_, failure) =>
        {
            if (failure.EventName == "FIRST" || Interlocked.Increment(ref told) < 10)
            {
                await client.SendEventAsync("s", "nobody", "SECOND");
                await client.SendEventAsync("s", "nobody", "THIRD");
                sent.TrySetResult();
            }
        };
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handling = new TaskCompletionSource();
        await client.RegisterMachineAsync("m", async _ =>
        {
            handling.SetResult();
            await begun.Task;
            await client.SendEventAsync("m", "nobody", "FIRST");
        }).InTime();
        await client.SendEventAsync("s", "m", "BEGIN").InTime();
        await handling.Task.InTime();
        client.Dispose();

        begun.SetResult();

        await sent.Task.InTime();
        Assert.Equal(0, Volatile.Read(ref told));
    }
}
