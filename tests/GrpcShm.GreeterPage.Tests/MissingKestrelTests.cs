using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Testing;
using Microsoft.AspNetCore.Mvc.Testing;

namespace GrpcGreeter.Tests;

/// <summary>
/// A factory that listens nowhere is the likely reason why a test finds no server: the client's error says so.
/// </summary>
public sealed class MissingKestrelTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_FactoryWithoutKestrel_SaysHowAFactoryListens(bool isStarted)
    {
        await using var factory = new WebApplicationFactory<Program>();
        await using var configured = factory.WithWebHostBuilder(builder =>
            builder.UseSetting("SharedMemory:RuntimeDirectory", _directory.Path));
        if (isStarted)
        {
            using var http = configured.CreateClient();
        }

        using var channel = SharedMemoryChannel.ForAddress(
            "shm:greeter", new SharedMemoryClientOptions { RuntimeDirectory = _directory.Path });
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await new Greeter.GreeterClient(channel).SayHelloAsync(new HelloRequest(), deadline: TimeLimit.Deadline));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains(
            "it listens after UseKestrel() and StartServer()", failure.Status.Detail, StringComparison.Ordinal);
    }
}
