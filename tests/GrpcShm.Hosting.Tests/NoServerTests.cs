using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;

namespace GrpcShm.Hosting.Tests;

/// <summary>What a user reads when no server listens.</summary>
public sealed class NoServerTests : IDisposable
{
    private readonly TempDirectory _temp = new();

    private SharedMemoryClientOptions Options => new() { RuntimeDirectory = _temp.Path };

    public void Dispose() => _temp.Dispose();

    [Theory]
    [InlineData(SharedMemoryMode.Auto)]
    [InlineData(SharedMemoryMode.Direct)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Call_NoServer_IsUnavailableAndSaysEachThingOnce(SharedMemoryMode mode)
    {
        var options = Options;
        options.Mode = mode;
        using var channel = SharedMemoryChannel.CreateGrpcChannel("shm:nobody", options);

        AssertSaysEachThingOnce(await CallAsync(channel));
    }

    [Fact]
    public async Task Call_NoServerForAHandlerOfTheUsersOwn_SaysTheReasonOnce()
    {
        var factory = new SharedMemoryConnectionFactory("shm:nobody", Options);
        using var handler = new SocketsHttpHandler { ConnectCallback = factory.ConnectAsync };
        using var channel = GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { HttpHandler = handler });

        AssertSaysEachThingOnce(await CallAsync(channel));
    }

    [Theory]
    [InlineData(SharedMemoryMode.Auto)]
    [InlineData(SharedMemoryMode.Http2)]
    public async Task Get_NoServer_SaysTheReasonInItsOwnMessage(SharedMemoryMode mode)
    {
        var options = Options;
        options.Mode = mode;
        using var client = new HttpClient(SharedMemoryChannel.CreateHandler("shm:nobody", options));

        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => client.GetAsync(new Uri("http://nobody/"), TestContext.Current.CancellationToken).InTime());

        Assert.Equal(HttpRequestError.ConnectionError, failure.HttpRequestError);
        Assert.Contains("No server listens on 'shm:nobody'", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<RpcException> CallAsync(GrpcChannel channel) =>
        await Assert.ThrowsAsync<RpcException>(
            () => new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting(),
                deadline: TimeLimit.Deadline,
                cancellationToken: TestContext.Current.CancellationToken).ResponseAsync);

    private void AssertSaysEachThingOnce(RpcException failure)
    {
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal(2, failure.Message.Split("No server listens on 'shm:nobody'").Length);
        Assert.Equal(2, failure.Message.Split($"there is no file '{_temp.File("nobody.sock")}'").Length);
        Assert.Equal(2, failure.Message.Split(_temp.Path).Length);
        Assert.Equal(2, failure.Message.Split("Start the server").Length);
    }
}
