using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>How a client sends and handles: one after the other, side by side, together.</summary>
public sealed class HandlingTests : ClientTest
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handlers_OfOneMachine_NeverOverlap(bool sameClient)
    {
        const int count = 500;
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var running = 0;
        var overlapped = false;
        var handled = 0;
        var done = new TaskCompletionSource();
        await receiver.RegisterMachineAsync("m", async _ =>
        {
            overlapped |= Interlocked.Increment(ref running) != 1;
            await Task.Yield();
            Interlocked.Decrement(ref running);
            if (++handled == count)
            {
                done.SetResult();
            }
        }).InTime();

        for (var i = 0; i < count; i++)
        {
            _ = sender.SendEventAsync("s", "m", "E");
        }

        await done.Task.InTime();
        Assert.False(overlapped);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handlers_OfDifferentMachines_RunAtTheSameTime(bool sameClient)
    {
        var receiver = await ConnectClientAsync();
        var sender = sameClient ? receiver : await ConnectClientAsync();
        var (first, second) = (new TaskCompletionSource(), new TaskCompletionSource());

        // Each waits for the other: one after the other they would wait for ever.
        await receiver.RegisterMachineAsync("a", _ => Meet(first, second)).InTime();
        await receiver.RegisterMachineAsync("b", _ => Meet(second, first)).InTime();

        var options = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
        await Task.WhenAll(
            sender.SendEventAsync("s", "a", "E", null, options),
            sender.SendEventAsync("s", "b", "E", null, options)).InTime();

        static Task Meet(TaskCompletionSource mine, TaskCompletionSource other)
        {
            mine.SetResult();
            return other.Task;
        }
    }

    [Fact]
    public async Task SendEvent_BetweenMachinesOfOneClient_NeverLeavesTheProcess()
    {
        var client = await ConnectClientAsync();
        var events = await ReceiveAsync(client, "m");
        for (var i = 0; i < 100; i++)
        {
            await client.SendEventAsync("s", "m", $"{i}").InTime();
            Assert.Equal($"{i}", (await events.ReadAsync().InTime()).EventName);
        }

        await Server.StopAsync().InTime();
        await client.SendEventAsync("s", "m", "WITHOUT THE HUB").InTime();
        Assert.Equal("WITHOUT THE HUB", (await events.ReadAsync().InTime()).EventName);
        Assert.Equal(0, Server.Services.GetRequiredService<HubCore>().Metrics.EventsAccepted);
    }

    [Fact]
    public async Task SendEvent_ManyAtOnce_GoTogetherInFewMessages()
    {
        const int count = 2_000;
        var counter = new RequestCounter();
        await using var senderEnd = new EventClient(
            new Contract.EventBusClient(Connect().Intercept(counter))).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        var receiver = await ConnectClientAsync();
        var events = await ReceiveAsync(receiver, "m");
        var before = counter.Messages;

        // All are there before the first message goes out.
        var goOn = counter.Hold();
        var sends = Enumerable.Range(0, count).Select(i => sender.SendEventAsync("s", "m", $"{i}")).ToArray();
        goOn.SetResult();
        await Task.WhenAll(sends).InTime();

        Assert.InRange(counter.Messages - before, (count / 256) + 1, count / 50);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i}", (await events.ReadAsync().InTime()).EventName);
        }
    }

    [Fact]
    public async Task SendEvent_OneAtATime_GoesOutAtOnceInAMessageOfItsOwn()
    {
        const int count = 100;
        var counter = new RequestCounter();
        await using var senderEnd = new EventClient(
            new Contract.EventBusClient(Connect().Intercept(counter))).InTime(out var sender);
        await sender.ConnectAsync().InTime();
        await ReceiveAsync(await ConnectClientAsync(), "m");
        var before = counter.Messages;

        for (var i = 0; i < count; i++)
        {
            await sender.SendEventAsync("s", "m", $"{i}").InTime();
        }

        Assert.Equal(count, counter.Messages - before);
    }

    [Fact]
    public async Task SendPipeline_Default_TriesAgainUntilTheMachineIsThere()
    {
        var sender = await ConnectClientAsync();
        var receiver = await ConnectClientAsync();
        var failed = new ConcurrentQueue<string>();
        sender.SendFailed += (_, failure) => failed.Enqueue(failure.TargetMachineId);
        using var meter = new HubMeter(Server.Services);

        // On a busy machine the tries may be over before the machine is there. Then another machine is late.
        var number = 0;
        while (!await ComesAsync($"late-{number}"))
        {
            Assert.InRange(++number, 1, 100);
        }

        Assert.DoesNotContain($"late-{number}", failed);

        async Task<bool> ComesAsync(string machineId)
        {
            var refused = meter.Read("grpcshm.eventbus.refused.messages");
            var options = new EventSendOptions { Acknowledgement = AcknowledgementLevel.Processed };
            var sending = sender.SendEventAsync("s", machineId, "E", null, options);
            await meter.WaitForAsync("grpcshm.eventbus.refused.messages", refused + 1);
            await receiver.RegisterMachineAsync(machineId, _ => Task.CompletedTask).InTime();
            try
            {
                await sending.InTime();
                return true;
            }
            catch (EventBusException exception) when (exception.StatusCode == StatusCode.NotFound)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task SendPipeline_Empty_FailsAtOnce()
    {
        var sender = await ConnectClientAsync(options => options.SendPipeline = ResiliencePipeline.Empty);
        using var meter = new HubMeter(Server.Services);

        await FailsAsync(sender.RequestAsync("s", "nobody", "E"), StatusCode.NotFound);

        Assert.Equal(1, meter.Read("grpcshm.eventbus.refused.messages"));
    }

    [Fact]
    public async Task Register_RefusedByTheHub_LeavesNothingBehind()
    {
        var client = await ConnectClientAsync();
        var other = await ConnectClientAsync();
        var badGroup = new MachineOptions { Groups = [new string('g', 64 * 1024)] };

        // Of the two commands of this the hub refuses the first one alone.
        await FailsAsync(
            client.RegisterMachineAsync("m", _ => Task.CompletedTask, badGroup), StatusCode.InvalidArgument);
        await client.PublishAsync("BEHIND IT").InTime();

        Assert.Empty(await other.ListMachinesAsync().ToListAsync().InTime());
        var events = await ReceiveAsync(other, "m");
        await client.SendEventAsync("s", "m", "E").InTime();
        Assert.Equal("E", (await events.ReadAsync().InTime()).EventName);
    }

    [Fact]
    public async Task Register_OfAnothersMachine_LeavesTheOwnersAlone()
    {
        var owner = await ConnectClientAsync();
        var client = await ConnectClientAsync();
        var events = await ReceiveAsync(owner, "m");

        await FailsAsync(
            client.RegisterMachineAsync("m", _ => Task.CompletedTask, new MachineOptions { Groups = ["g"] }),
            StatusCode.AlreadyExists);
        await client.SendEventAsync("s", "m", "E").InTime();

        Assert.Equal("E", (await events.ReadAsync().InTime()).EventName);
        Assert.Empty((await client.ListMachinesAsync().SingleAsync().InTime()).Groups);
    }

    /// <summary>Counts the messages that sessions write.</summary>
    private sealed class RequestCounter : Interceptor
    {
        private volatile Task _held = Task.CompletedTask;
        private int _messages;

        public int Messages => Volatile.Read(ref _messages);

        /// <summary>Holds the messages from now on, until the caller sets the result.</summary>
        public TaskCompletionSource Hold()
        {
            var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _held = goOn.Task;
            return goOn;
        }

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            ClientInterceptorContext<TRequest, TResponse> context,
            AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation)
        {
            var call = continuation(context);
            return new AsyncDuplexStreamingCall<TRequest, TResponse>(
                new Writer<TRequest>(this, call.RequestStream),
                call.ResponseStream,
                call.ResponseHeadersAsync,
                call.GetStatus,
                call.GetTrailers,
                call.Dispose);
        }

        private sealed class Writer<T>(RequestCounter counter, IClientStreamWriter<T> inner) : IClientStreamWriter<T>
        {
            public WriteOptions? WriteOptions
            {
                get => inner.WriteOptions;
                set => inner.WriteOptions = value;
            }

            public async Task WriteAsync(T message)
            {
                Interlocked.Increment(ref counter._messages);
                await counter._held;
                await inner.WriteAsync(message);
            }

            public Task CompleteAsync() => inner.CompleteAsync();
        }
    }
}
