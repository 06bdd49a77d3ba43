using System.Text.Json;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>
/// The server process: it serves one transport until its standard input ends. Lines on its standard input ask for the
/// resources that it has used, which is no part of the measurement.
/// </summary>
internal static class ServerProgram
{
    /// <summary>The word that the server writes before its address when it listens.</summary>
    public const string ReadyPrefix = "ready ";

    /// <summary>Asks for a <see cref="ResourceUsage"/>.</summary>
    public const string UsageRequest = "usage";

    /// <summary>Asks for the memory of the process in bytes.</summary>
    public const string MemoryRequest = "memory";

    public static async Task<int> RunAsync(string transportName, string address)
    {
        var transport = TransportRegistry.Find(transportName);
        using var meter = new UsageMeter();
        using var stopping = new CancellationTokenSource();

        // This needs a thread of its own, since all methods of the console read synchronously.
        var listening = new TaskCompletionSource<string>();
        var serving = transport.ServeAsync(address, listening.SetResult, stopping.Token);
        if (await Task.WhenAny(listening.Task, serving) == listening.Task)
        {
            Console.Out.WriteLine(ReadyPrefix + await listening.Task);
            await Task.Factory.StartNew(
                () => AnswerUntilParentEnds(meter),
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }

        await stopping.CancelAsync();
        await serving;
        return 0;
    }

    // The pipe ends with the parent, however the parent ends, so no server outlives its comparison.
    private static void AnswerUntilParentEnds(UsageMeter meter)
    {
        while (Console.In.ReadLine() is { } request)
        {
            Console.Out.WriteLine(request switch
            {
                UsageRequest => JsonSerializer.Serialize(meter.Read()),
                MemoryRequest => JsonSerializer.Serialize(ProcessMemory.Measure()),
                _ => throw new InvalidOperationException($"The request '{request}' is not known."),
            });
        }
    }
}
