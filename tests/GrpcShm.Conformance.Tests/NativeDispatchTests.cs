using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost.Calling;

namespace GrpcShm.Conformance.Tests;

/// <summary>What a server with services of each kind dispatches natively, as its log tells it.</summary>
public sealed class NativeDispatchTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    [Theory]
    [InlineData("ByItself")]
    [InlineData("Asked")]
    public async Task Server_WithHealthReflectionAndAHub_IsNativeWithAllItsServices(string dispatch)
    {
        await using var server = await HostProcess.StartAsync(
        [
            "serve",
            "--listen", new EndpointAddress(EndpointKind.SharedMemory, "kinds").ToString(),
            "--runtime-directory", _directory.Path,
            "--native-dispatch", dispatch,
            "--log-level", nameof(Microsoft.Extensions.Logging.LogLevel.Information),
        ]);

        await TimeLimit.UntilAsync(
            () => server.Log.Contains("are dispatched natively", StringComparison.Ordinal), () => server.Log);

        Assert.Contains(
            "Calls in direct mode to grpc.health.v1.Health, grpc.reflection.v1",
            server.Log,
            StringComparison.Ordinal);
        Assert.Contains("does not run for them: none.", server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("take the full pipeline", server.Log, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();
}
