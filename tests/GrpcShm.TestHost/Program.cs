using System.CommandLine;
using GrpcShm.TestHost.Commands;

namespace GrpcShm.TestHost;

internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        var root = new RootCommand("The other process of the GrpcShm tests: a gRPC server, or a client to be killed.")
        {
            new ServeCommand(),
            new CallCommand(),
        };

        // The host and the scenarios end by themselves on SIGTERM; a second handler would cut their shutdown short.
        return root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }
}
