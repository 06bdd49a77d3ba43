using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Responses;

internal static class ResponseRun
{
    public static Task<long> RunAsync(DifferentialHost host, Settings settings, Findings findings) => Task.FromResult(0L);
}
