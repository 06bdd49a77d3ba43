using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Grpc.Core;
using GrpcShm.Client;

namespace Samples.BringYourOwnService.Client;

/// <summary>One run of the program: starts the server, calls it in every way, reports.</summary>
internal static class GreeterRun
{
    private const int CallsPerRound = 250;
    private const int Rounds = 8;

    // These calls are for the just-in-time compiler. Their times are overwritten.
    private const int WarmUpRounds = 8;

    // Two of them only where the server still listens on the endpoint that it had before.
    private const int ExpectedChecks = 12;

    private static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(4);

    public static async Task<int> RunAsync(
        TransportKind kind, bool json, ProgressView view, CancellationToken cancellationToken)
    {
        var name = kind.ToString().ToLower(CultureInfo.InvariantCulture);
        Announcement.Print(
            Announcement.ChooseWriter(json),
            $"This process calls an ordinary gRPC service in a second process over {name}, in every way that must work "
                + "as over a socket.",
            "The result is a table of what was tried and whether it worked, and the time of a call.",
            UsualTime);
        try
        {
            var progress = new RunProgress(TimeProvider.System);
            var report = await view.RunAsync(
                progress, ending => RunAsync(kind, name, progress, ending), cancellationToken);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportContext.Default.Report));
            }
            else
            {
                ConsoleView.Show(report);
            }

            return report.Failed == 0 ? 0 : 1;
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return 130;
        }
        catch (Exception exception) when (exception is RpcException or IOException or InvalidOperationException
            or PlatformNotSupportedException)
        {
            var reason = exception is RpcException failure
                ? $"{failure.StatusCode}, {failure.Status.Detail}"
                : exception.Message;
            await Console.Error.WriteLineAsync($"The service could not be called over {name}: {reason}");
            return 1;
        }
    }

    private static async Task<Report> RunAsync(
        TransportKind kind, string name, RunProgress progress, CancellationToken cancellationToken)
    {
        progress.Begin("starting the server");
        await using var server = await ServerProcess.StartAsync(SampleEndpoint.CreateUnique(kind), cancellationToken);

        // This is the line of the README, and all that a client needs.
        using var channel = kind == TransportKind.Shm
            ? new SampleChannel(SharedMemoryChannel.ForAddress($"shm:{server.Endpoint.Address}"))
            : server.Endpoint.CreateChannel();
        var calls = new GreeterChecks(channel, server.ApiKey, progress, cancellationToken);
        progress.Begin("trying its features", ExpectedChecks);
        await calls.CheckAllAsync(server.Endpoint);
        if (server.EndpointBefore is not { } before)
        {
            var alone = await MeasureAsync([calls.Greeter], progress, cancellationToken);
            return new Report(name, calls.Checks, alone[0], null);
        }

        using var channelBefore = before.CreateChannel();
        await calls.CheckEndpointBeforeAsync(channelBefore);
        var medians = await MeasureAsync(
            [calls.Greeter, calls.WithKey(channelBefore)], progress, cancellationToken);
        return new Report(name, calls.Checks, medians[0], medians[1]);
    }

    /// <summary>
    /// Measures calls one after the other. The clients take turns, so that other work on the machine disturbs all of
    /// them.
    /// </summary>
    /// <returns>Each client's median, in microseconds.</returns>
    private static async Task<double[]> MeasureAsync(
        Greeter.GreeterClient[] clients, RunProgress progress, CancellationToken cancellationToken)
    {
        progress.Begin("measuring calls", (WarmUpRounds + Rounds) * clients.Length);
        var times = new long[clients.Length][];
        var request = new HelloRequest { Name = "stopwatch" };
        for (var round = 0; round < WarmUpRounds + Rounds; round++)
        {
            for (var client = 0; client < clients.Length; client++)
            {
                times[client] ??= new long[Rounds * CallsPerRound];
                for (var i = 0; i < CallsPerRound; i++)
                {
                    var started = Stopwatch.GetTimestamp();
                    await clients[client].SayHelloAsync(request, cancellationToken: cancellationToken);
                    times[client][(round % Rounds * CallsPerRound) + i] = Stopwatch.GetTimestamp() - started;
                }

                progress.Report((round * clients.Length) + client + 1);
            }
        }

        return [.. times.Select(Median)];
    }

    private static double Median(long[] times)
    {
        Array.Sort(times);
        return Math.Round(times[times.Length / 2] * 1e6 / Stopwatch.Frequency, 1);
    }
}
