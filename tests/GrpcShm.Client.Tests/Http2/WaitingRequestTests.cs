using System.Net;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Tests.Http2;

/// <summary>Calls over HTTP/2 that wait for a server, frame by frame.</summary>
public sealed class WaitingRequestTests : IAsyncLifetime
{
    private const int PrefaceLength = 24;
    private static readonly HttpRequestOptionsKey<bool> WaitForReady = new("WaitForReady");

    private readonly TestEndPoint _endPoint = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _endPoint.Listen();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Fact]
    public async Task Send_ServerLeavesInOrderBeforeItHasBegun_WaitsForTheNextOne()
    {
        using var client = CreateClient(new SharedMemoryClientOptions());
        var sending = client.SendAsync(CreateRequest(), TestToken);
        var server = await _endPoint.AcceptAsync();
        await _endPoint.Listener.DisposeAsync().InTime();
        await using (var leaving = new RingStream(server, FileAccess.ReadWrite))
        {
            // So the connection is in use, and its end is found by the thread that reads.
            await leaving.ReadExactlyAsync(new byte[PrefaceLength], TestToken).InTime();
        }

        // Another client finds no server.
        using (var other = CreateClient(new SharedMemoryClientOptions()))
        {
            var request = CreateRequest();
            request.Options.Set(WaitForReady, false);
            await Assert.ThrowsAsync<HttpRequestException>(() => other.SendAsync(request, TestToken).InTime());
        }

        _endPoint.Listen();
        await using var peer = new Http2Peer(await _endPoint.AcceptAsync());
        await peer.BeginAsync();
        await peer.AnswerAsync(await peer.RequestAsync());
        using var response = await sending.InTime();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Send_NobodyWaitsAnyMore_GivesUpTheAttempt(bool isDisposed)
    {
        // A server that accepts and says nothing, so that the attempt lasts as long as the options say.
        var path = Path.Join(_endPoint.Directory, "silent.sock");
        using var silent = ForeignSocket.Listen(path, everybodys: true);
        using var client = new HttpMessageInvoker(SharedMemoryChannel.CreateHandler(
            path,
            new SharedMemoryClientOptions
            {
                Mode = SharedMemoryMode.Http2,
                ConnectTimeout = TimeSpan.FromHours(1),
                AuthorizeServer = static _ => true,
            }));
        using var givingUp = CancellationTokenSource.CreateLinkedTokenSource(TestToken);
        var sending = client.SendAsync(CreateRequest(), givingUp.Token);
        using var accepted = await silent.AcceptAsync(TestToken).AsTask().InTime();

        if (isDisposed)
        {
            client.Dispose();
        }
        else
        {
            await givingUp.CancelAsync();
        }

        await Assert.ThrowsAnyAsync<Exception>(() => sending.InTime());
        var buffer = new byte[1024];
        while (await accepted.ReceiveAsync(buffer, TestToken).AsTask().InTime() > 0)
        {
            // What the client has said before it left.
        }
    }

    private HttpMessageInvoker CreateClient(SharedMemoryClientOptions options)
    {
        options.RuntimeDirectory = _endPoint.Directory;
        options.Mode = SharedMemoryMode.Http2;
        options.ConnectTimeout = TimeLimit.Value;
        return new HttpMessageInvoker(SharedMemoryChannel.CreateHandler(_endPoint.EndPoint.ToString(), options));
    }

    private static HttpRequestMessage CreateRequest()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://test/x/y")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0])
            {
                Headers = { ContentType = new("application/grpc") },
            },
        };
        request.Options.Set(WaitForReady, true);
        return request;
    }
}
