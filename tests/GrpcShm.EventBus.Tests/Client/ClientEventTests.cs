using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Client;

/// <summary>What a client tells its program without being asked.</summary>
public sealed class ClientEventTests : ClientTest
{
    [Fact]
    public async Task Events_OfOneClient_ComeInTheOrderInWhichThingsHappened()
    {
        const int count = 2000;
        var client = await ConnectClientAsync();
        var told = Channel.CreateUnbounded<string>();
        client.SendFailed += (_, failure) => told.Writer.TryWrite(failure.EventName);
        client.ConnectionChanged += (_, change) => told.Writer.TryWrite($"{change.State}");

        var sends = Enumerable.Range(0, count).Select(i => client.SendEventAsync("s", "nobody", $"{i}")).ToArray();
        await Assert.ThrowsAsync<EventBusException>(() => Task.WhenAll(sends).InTime());
        await client.DisconnectAsync().InTime();

        for (var i = 0; i < count; i++)
        {
            Assert.Equal($"{i}", await told.Reader.ReadAsync().InTime());
        }

        Assert.Equal("Disconnected", await told.Reader.ReadAsync().InTime());
    }

    [Fact]
    public async Task Events_OfOneClient_NeverRunAtTheSameTime()
    {
        var client = await ConnectClientAsync();
        var running = 0;
        var overlapped = false;
        var last = new TaskCompletionSource();
        client.SendFailed += (_, failure) =>
        {
            overlapped |= Interlocked.Increment(ref running) > 1;
            Thread.SpinWait(1000);
            Interlocked.Decrement(ref running);
            if (failure.EventName == "LAST")
            {
                last.SetResult();
            }
        };

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await FailsAsync(client.SendEventAsync("s", "nobody", "E"), StatusCode.NotFound);
            }
        }))).InTime();
        await FailsAsync(client.SendEventAsync("s", "nobody", "LAST"), StatusCode.NotFound);

        await last.Task.InTime();
        Assert.False(overlapped);
    }

    [Fact]
    public async Task Events_HandlerThatThrows_IsLoggedAndTheNextOneComes()
    {
        var logs = new RecordingLoggerProvider();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(logs));
        var client = await ConnectClientAsync(options => options.LoggerFactory = factory);
        var second = new TaskCompletionSource();
        client.SendFailed += (_, failure) =>
        {
            if (failure.EventName == "FIRST")
            {
                throw new InvalidOperationException("the program's own mistake");
            }

            second.SetResult();
        };

        await FailsAsync(client.SendEventAsync("s", "nobody", "FIRST"), StatusCode.NotFound);
        await FailsAsync(client.SendEventAsync("s", "nobody", "SECOND"), StatusCode.NotFound);

        await second.Task.InTime();
        Assert.Contains(logs.Lines, line => line.StartsWith("Error ObserverFailed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SendEvent_FailsAndNobodyAwaitsIt_IsToldByAnEventAndTheLogAndNowhereElse(bool sameClient)
    {
        var unobserved = 0;
        EventHandler<UnobservedTaskExceptionEventArgs> count = (_, arguments) =>
            unobserved += arguments.Exception.InnerExceptions.Any(
                e => e is EventBusException { MachineId: "unawaited" }) ? 1 : 0;
        TaskScheduler.UnobservedTaskException += count;
        try
        {
            var logs = new RecordingLoggerProvider();
            using var factory = LoggerFactory.Create(logging => logging.AddProvider(logs));
            var client = await ConnectClientAsync(options => options.LoggerFactory = factory);
            var failed = new TaskCompletionSource<EventSendFailure>();
            if (sameClient)
            {
                await FillAsync(client, "unawaited");
            }

            client.SendFailed += (_, failure) =>
            {
                if (failure.EventName == "LOST")
                {
                    failed.SetResult(failure);
                }
            };

            _ = client.SendEventAsync("s", "unawaited", "LOST");

            var failure = await failed.Task.InTime();
            Assert.Equal(
                ("s", "unawaited", "LOST"), (failure.SourceMachineId, failure.TargetMachineId, failure.EventName));
            Assert.Equal(sameClient ? StatusCode.ResourceExhausted : StatusCode.NotFound, failure.Exception.StatusCode);
            Assert.Contains(logs.Lines, line => line.StartsWith("Warning SendFailed", StringComparison.Ordinal)
                && line.Contains("'LOST'", StringComparison.Ordinal)
                && line.Contains("'unawaited'", StringComparison.Ordinal));
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.Equal(0, unobserved);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }
    }

    [Fact]
    public async Task SendFailed_ThousandsOfTimes_IsRaisedEachTimeAndLoggedAFewTimes()
    {
        const int many = 5_000;
        var logs = new RecordingLoggerProvider();
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(logs));
        var client = await ConnectClientAsync(options => options.LoggerFactory = factory);
        var all = new TaskCompletionSource();
        var raised = 0;
        client.SendFailed += (_, _) =>
        {
            if (++raised == many)
            {
                all.SetResult();
            }
        };
        var sends = Enumerable.Range(0, many)
            .Select(i => IsTakenAsync(client.SendEventAsync("s", "nobody", $"E{i}")))
            .ToArray();

        Assert.DoesNotContain(true, await Task.WhenAll(sends).InTime());
        await all.Task.InTime();
        await client.DisconnectAsync().InTime();

        // A few for each ten seconds that it took, and each of the others in a sum.
        var lines = logs.Lines.Where(line => line.StartsWith("Warning SendFailed", StringComparison.Ordinal)).ToList();
        Assert.InRange(lines.Count, 1, many / 10);
        var leftOut = logs.Lines.Where(line => line.Contains("of the kind SendFailed", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(many, lines.Count + leftOut);
    }

    // A machine of the same client that takes no more.
    private static async Task FillAsync(EventClient client, string machineId)
    {
        var never = new TaskCompletionSource();
        var options =
            new MachineOptions { MailboxCapacity = 1, OverflowPolicy = XStateNet.Events.V1.OverflowPolicy.Grow };
        var sent = 0;
        await client.RegisterMachineAsync(machineId, _ => never.Task, options).InTime();
        while (await IsTakenAsync(client.SendEventAsync("s", machineId, "FILL")))
        {
            // Many times what there is room for.
            Assert.InRange(++sent, 1, 100_000);
        }

        Assert.True(sent > 0);
    }

    private static async Task<bool> IsTakenAsync(Task send)
    {
        try
        {
            await send.InTime();
            return true;
        }
        catch (EventBusException)
        {
            return false;
        }
    }

    [Fact]
    public async Task SendEvent_WhileALoggerHoldsTheWordOfALoss_IsNotHeldUp()
    {
        using var logs = new HoldingLoggerProvider("EventsDropped");
        using var factory = LoggerFactory.Create(logging => logging.AddProvider(logs));
        var client = await ConnectClientAsync(options => (options.LoggerFactory, options.ReceiveWindow) = (factory, 1));
        var handling = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await client.RegisterMachineAsync(
            "m",
            _ =>
            {
                handling.TrySetResult();
                return release.Task;
            },
            new MachineOptions { MailboxCapacity = 1, OverflowPolicy = OverflowPolicy.DropNewest }).InTime();
        await client.SendEventAsync("s", "m", "HANDLED").InTime();
        await handling.Task.InTime();
        await client.SendEventAsync("s", "m", "WAITS").InTime();

        var dropped = Task.Run(() => client.SendEventAsync("s", "m", "DROPPED"));
        await logs.IsHeld.InTime();
        await Task.Run(() => client.SendEventAsync("s", "m", "DROPPED, TOO")).InTime();

        Assert.False(dropped.IsCompleted);
        logs.GoOn();
        await dropped.InTime();
        release.SetResult();
    }
}
