using System.CommandLine;
using BenchmarkDotNet.Running;
using GrpcShm.Benchmarks.Raw;

// Without one of our commands, the command line is BenchmarkDotNet's own: --filter, --list, …
if (args is not [RawCommand.Name or RawCommand.PeerName, ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(RawCommand).Assembly).Run(args);
    return 0;
}

return await new RootCommand { RawCommand.Create(), RawCommand.CreatePeer() }.Parse(args).InvokeAsync();
