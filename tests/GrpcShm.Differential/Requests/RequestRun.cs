using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Requests;

/// <summary>The requests of a run, shared among as many threads as there are processors.</summary>
internal static class RequestRun
{
    private const int AtOnce = 32;

    public static async Task<RequestCounts> RunAsync(DifferentialHost host, Settings settings, Findings findings)
    {
        var counts = new RequestCounts();
        var next = settings.First;
        var end = settings.First + settings.Requests;
        var workers = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Factory.StartNew(
            () =>
            {
                using var worker = new RequestWorker(host, findings, counts);
                long first;
                while (!findings.IsEnough && (first = Interlocked.Add(ref next, AtOnce) - AtOnce) < end)
                {
                    var count = (int)Math.Min(AtOnce, end - first);
                    worker.Run(
                        [.. Enumerable.Range(0, count).Select(i => RequestGenerator.Make(settings.Seed, first + i))]);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
        await Task.WhenAll(workers);
        return counts;
    }
}
