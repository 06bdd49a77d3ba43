using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus;

namespace Samples.PingPong;

/// <summary>
/// Another game: this process sends, a second process holds the hub, a third one receives. First it sends as fast as it
/// can. Then it sends at a steady rate, to measure the time of an event from the send to the handler.
/// </summary>
internal static class EventStream
{
    private const int SteadyPerSecond = 1_000;

    // The number of events on their way: enough for full messages, and so few that memory does not matter.
    private const int Window = 2_048;

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(2.5);

    public static async Task<int> RunAsync(
        TransportKind kind,
        int warmUpEvents,
        int events,
        int steadySeconds,
        ProgressView view,
        CancellationToken cancellationToken)
    {
        var name = kind.ToString().ToLower(CultureInfo.InvariantCulture);
        Announcement.Print(
            Announcement.ChooseWriter(outputIsForResult: true),
            string.Create(
                CultureInfo.InvariantCulture,
                $"This process sends {events:N0} events over {name} to a machine in a third process, through the hub ")
                + "in a second one, as fast as it can, and then 1,000 a second.",
            "The result is one JSON object: the events a second, how many are missing or out of order, and the time "
                + "from a send to the handler.",
            StartTime + (((double)warmUpEvents + events) * TimeOfEvent(kind)) + TimeSpan.FromSeconds(steadySeconds));
        try
        {
            var progress = new RunProgress(TimeProvider.System);
            var report = await view.RunAsync(
                progress,
                ending => RunAsync(kind, name, warmUpEvents, events, steadySeconds, progress, ending),
                cancellationToken);
            Console.WriteLine(JsonSerializer.Serialize(report, RunReportContext.Default.EventStreamReport));
            return report is { Missing: 0, OutOfOrder: 0 } ? 0 : 1;
        }
        catch (Exception exception)
            when (exception is RpcException or EventBusException or IOException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync($"The events could not be sent: {exception.Message}");
            return 1;
        }
    }

    // About what it takes on an idle machine with two processors.
    private static TimeSpan TimeOfEvent(TransportKind kind) =>
        TimeSpan.FromMicroseconds(kind == TransportKind.Shm ? 3 : 6);

    private static async Task<EventStreamReport> RunAsync(
        TransportKind kind,
        string name,
        int warmUpEvents,
        int events,
        int steadySeconds,
        RunProgress progress,
        CancellationToken cancellationToken)
    {
        progress.Begin("starting the other processes");
        await using var pong = await PongProcess.StartAsync(SampleEndpoint.CreateUnique(kind), cancellationToken);
        await using var receiver = await SampleProcess.StartAsync(
            ["receive", "--transport", name, pong.Endpoint.Address], cancellationToken);
        using var channel = pong.Endpoint.CreateChannel();
        await using var client = new EventClient(channel, new EventBusClientOptions
        {
            Name = "sender",
            ConnectTimeout = SampleProcess.StartTime,
        });
        await client.ConnectAsync(cancellationToken);

        progress.Begin("warming up", warmUpEvents);
        await SendAsync(client, warmUpEvents, progress, cancellationToken);
        await AskAsync(client, cancellationToken);
        var before = await pong.MeasureAsync(cancellationToken);
        progress.Begin("sending as fast as possible", events);
        await SendAsync(client, events, progress, cancellationToken);
        var fast = await AskAsync(client, cancellationToken);
        var after = await pong.MeasureAsync(cancellationToken);
        var steadyEvents = SteadyPerSecond * steadySeconds;
        progress.Begin("sending 1,000 events a second", steadyEvents);
        await SendSteadilyAsync(client, steadyEvents, progress, cancellationToken);
        var steady = await AskAsync(client, cancellationToken);
        return new EventStreamReport
        {
            Transport = name,
            Events = events,
            Missing = events - fast.Received + steadyEvents - steady.Received,
            OutOfOrder = fast.OutOfOrder + steady.OutOfOrder,
            PerSecond = Math.Round(fast.Received / fast.Seconds),
            SteadyP50Microseconds = steady.P50Microseconds,
            SteadyP99Microseconds = steady.P99Microseconds,
            HubCpuPercent = after.CpuPercentSince(before),
        };
    }

    private static async Task SendAsync(
        EventClient client, int events, RunProgress progress, CancellationToken cancellationToken)
    {
        var earlier = Task.CompletedTask;
        for (var i = 1; i <= events; i++)
        {
            var send = SendOneAsync(client, i);
            if (i % Window == 0 || i == events)
            {
                // Answers come in the order of the sends.
                await earlier.WaitAsync(cancellationToken);
                earlier = send;
                progress.Report(i);
            }
        }

        await earlier.WaitAsync(cancellationToken);
    }

    // This uses a thread of its own that sleeps, since the ticks of a timer are often 4 ms apart, by the system's
    // coarse clock.
    private static async Task SendSteadilyAsync(
        EventClient client, int events, RunProgress progress, CancellationToken cancellationToken)
    {
        var sends = await Task.Factory.StartNew(
            () => SendSteadily(client, events, progress, cancellationToken),
            cancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await Task.WhenAll(sends).WaitAsync(cancellationToken);
    }

    private static Task[] SendSteadily(
        EventClient client, int events, RunProgress progress, CancellationToken cancellationToken)
    {
        var sends = new Task[events];
        var due = Stopwatch.GetTimestamp();
        for (var i = 0; i < events; i++)
        {
            due += Stopwatch.Frequency / SteadyPerSecond;
            while (Stopwatch.GetTimestamp() < due)
            {
                Thread.Sleep(1);
            }

            cancellationToken.ThrowIfCancellationRequested();
            sends[i] = SendOneAsync(client, i + 1);
            progress.Report(i + 1);
        }

        return sends;
    }

    private static Task SendOneAsync(EventClient client, int number)
    {
        var payload = new byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(sizeof(long)), Stopwatch.GetTimestamp());
        return client.SendEventAsync("sender", "receiver", "DATA", UnsafeByteOperations.UnsafeWrap(payload));
    }

    // The request comes after the events, so when it is answered, they have been handled.
    private static async Task<ReceiverReport> AskAsync(EventClient client, CancellationToken cancellationToken)
    {
        var reply = await client.RequestAsync(
            "sender", "receiver", "REPORT", timeout: TimeSpan.FromMinutes(5), cancellationToken: cancellationToken);
        return JsonSerializer.Deserialize(reply.RawPayload.Data.Span, RunReportContext.Default.ReceiverReport)!;
    }
}
