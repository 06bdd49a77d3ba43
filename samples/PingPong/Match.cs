using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Core;
using GrpcShm.EventBus;
using HdrHistogram;

namespace Samples.PingPong;

/// <summary>One run of the program: starts the second process, plays, reports.</summary>
internal static class Match
{
    private const int WarmUpRounds = 2_000;

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(1.5);

    public static async Task<int> RunAsync(
        TransportKind kind,
        int rounds,
        bool json,
        FileInfo? picture,
        ProgressView view,
        CancellationToken cancellationToken)
    {
        var name = kind.ToString().ToLower(CultureInfo.InvariantCulture);
        Announcement.Print(
            Announcement.ChooseWriter(json),
            string.Create(
                CultureInfo.InvariantCulture,
                $"Two state machines in two processes play {rounds:N0} rounds of ping-pong over {name}, ")
                + "through the event service. A round is two events and their acknowledgements, so it takes longer "
                + "than one gRPC call.",
            "The result is the time of a round trip, and the processor time, the memory and the system calls that it "
                + "takes.",
            StartTime + ((WarmUpRounds + rounds) * TimeOfRound(kind)));
        try
        {
            var progress = new RunProgress(TimeProvider.System);
            var report = await view.RunAsync(
                progress, ending => PlayAsync(kind, rounds, progress, ending), cancellationToken);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, RunReportContext.Default.RunReport));
            }
            else
            {
                ConsoleView.Show(report);
            }

            if (picture is not null)
            {
                var command = "dotnet run -c Release --project samples/PingPong"
                    + (kind == TransportKind.Shm ? "" : " -- -t " + name);
                await File.WriteAllTextAsync(
                    picture.FullName,
                    ConsolePicture.Draw(command, ConsoleView.CreateTable(report)),
                    cancellationToken);
            }

            return report.Lost == 0 ? 0 : 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return 130;
        }
        catch (Exception exception) when (exception
            is RpcException
            or EventBusException
            or IOException
            or InvalidOperationException
            or NotImplementedException
            or PlatformNotSupportedException)
        {
            await Console.Error.WriteLineAsync($"The match over {name} could not be played: {Reason(exception)}");
            return 1;
        }
    }

    private static string Reason(Exception exception) =>
        exception is RpcException failure ? $"{failure.StatusCode}, {failure.Status.Detail}" : exception.Message;

    // About what it takes on an idle machine with two processors.
    private static TimeSpan TimeOfRound(TransportKind kind) =>
        TimeSpan.FromMicroseconds(kind == TransportKind.Shm ? 20 : 150);

    private static async Task<RunReport> PlayAsync(
        TransportKind kind, int rounds, RunProgress progress, CancellationToken cancellationToken)
    {
        progress.Begin("starting the second process");
        using var doorbells = new DoorbellCounter();
        await using var pong = await PongProcess.StartAsync(SampleEndpoint.CreateUnique(kind), cancellationToken);
        using var channel = pong.Endpoint.CreateChannel();
        await using var ping = await PingPlayer.JoinAsync(channel, cancellationToken);

        progress.Begin("warming up", WarmUpRounds, () => ping.Round);
        await ping.PlayAsync(WarmUpRounds, null, cancellationToken);
        var latencies = new LongHistogram(TimeStamp.Minutes(1), 3);
        var serverBefore = await pong.MeasureAsync(cancellationToken);
        var clientBefore = ProcessUsage.OfThisProcess(doorbells);
        progress.Begin("playing", rounds, () => ping.Round);
        var started = Stopwatch.GetTimestamp();
        var received = await ping.PlayAsync(rounds, latencies, cancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var client = ProcessUsage.OfThisProcess(doorbells);
        var server = await pong.MeasureAsync(cancellationToken);
        return new RunReport
        {
            Transport = kind.ToString().ToLower(CultureInfo.InvariantCulture),
            Rounds = rounds,
            Lost = rounds - received,
            P50Microseconds = Microseconds(latencies, 50),
            P90Microseconds = Microseconds(latencies, 90),
            P99Microseconds = Microseconds(latencies, 99),
            P999Microseconds = Microseconds(latencies, 99.9),
            MaxMicroseconds = Microseconds(latencies, 100),
            PerSecond = Math.Round(received / elapsed.TotalSeconds, 1),
            ClientCpuPercent = client.CpuPercentSince(clientBefore),
            ServerCpuPercent = server.CpuPercentSince(serverBefore),
            ClientRssMegabytes = client.RssMegabytes,
            ServerRssMegabytes = server.RssMegabytes,
            DoorbellsPerMessage = DoorbellsPerMessage(client, clientBefore, server, serverBefore, received),
            WritesPerMessage = WritesPerMessage(client, clientBefore, server, serverBefore, received),
        };
    }

    // Each round is two messages: one there, one back.
    private static double? DoorbellsPerMessage(
        ProcessUsage client, ProcessUsage clientBefore, ProcessUsage server, ProcessUsage serverBefore, int rounds) =>
        PerMessage(
            client.DoorbellsRung - clientBefore.DoorbellsRung + (server.DoorbellsRung - serverBefore.DoorbellsRung),
            rounds);

    // A write either rings the doorbell or saves it.
    private static double? WritesPerMessage(
        ProcessUsage client, ProcessUsage clientBefore, ProcessUsage server, ProcessUsage serverBefore, int rounds) =>
        PerMessage(
            client.DoorbellsRung - clientBefore.DoorbellsRung
                + (client.DoorbellsSaved - clientBefore.DoorbellsSaved)
                + (server.DoorbellsRung - serverBefore.DoorbellsRung)
                + (server.DoorbellsSaved - serverBefore.DoorbellsSaved),
            rounds);

    private static double? PerMessage(long? doorbells, int rounds) =>
        doorbells is null || rounds == 0 ? null : Math.Round(doorbells.Value / (2.0 * rounds), 3);

    private static double Microseconds(LongHistogram latencies, double percentile) =>
        latencies.TotalCount == 0
            ? 0
            : Math.Round(latencies.GetValueAtPercentile(percentile) * 1e6 / Stopwatch.Frequency, 1);
}
