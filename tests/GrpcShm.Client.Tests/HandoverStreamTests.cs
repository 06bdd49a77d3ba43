using System.Security.Authentication;
using GrpcShm.Client.Http2;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Client.Tests;

/// <summary>How a client's HTTP/2 sees a server that goes away.</summary>
public sealed class HandoverStreamTests : IAsyncLifetime
{
    private static readonly byte[] Hello = [1, 2, 3, 4, 5];
    private static readonly byte[] Answer = [6, 7, 8];

    private readonly TestEndPoint _endPoint = new();

    // The size of the buffer into which SocketsHttpHandler reads the first bytes.
    private readonly byte[] _buffer = new byte[16];

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _endPoint.Listen();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _endPoint.DisposeAsync();

    [Fact]
    public async Task Write_ServerReadsNoMore_IsDroppedUntilItsEndHasBeenRead()
    {
        await using var client = await ConnectAsync();
        var server = await _endPoint.AcceptAsync();
        await using (var stream = new RingStream(server, FileAccess.ReadWrite))
        {
            await stream.WriteAsync(Answer, TestToken);
        }

        await client.WriteAsync(Hello, TestToken).InTime();
        Assert.Equal(Answer.Length, await client.ReadAsync(_buffer, TestToken).InTime());
        await client.WriteAsync(Hello, TestToken).InTime();
        Assert.Equal(0, await client.ReadAsync(_buffer, TestToken).InTime());
        await Assert.ThrowsAnyAsync<IOException>(() => client.WriteAsync(Hello, TestToken).InTime());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Read_ServerLeavesInOrderBeforeItSaidAWord_SuccessorGetsWhatWasWritten(bool hasStreams)
    {
        await using var client = await ConnectAsync();
        await client.WriteAsync(Hello, TestToken).InTime();
        var read = client.ReadAsync(_buffer, TestToken).AsTask();
        await LeaveAsync(await _endPoint.AcceptAsync(), hasStreams);
        await LeaveAsync(await _endPoint.AcceptAsync(), hasStreams);

        await using var successor = await AcceptSuccessorAsync(Hello);
        Assert.Equal(Answer.Length, await read.InTime());
        Assert.Equal(Answer, _buffer[..Answer.Length]);
        await client.WriteAsync(Answer, TestToken).InTime();
        Assert.Equal(Answer.Length, await successor.ReadAsync(_buffer, TestToken).InTime());
    }

    [Theory]
    [InlineData(17)]
    [InlineData(1)]
    public async Task Read_ServersFirstWordIsItsFarewell_SuccessorGetsWhatWasWritten(int piece)
    {
        await using var client = await ConnectAsync();
        await client.WriteAsync(Hello, TestToken).InTime();
        var read = client.ReadAsync(_buffer, TestToken).AsTask();
        await using (var leaving = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite))
        {
            foreach (var bytes in GoAway(lastStream: 0, error: 0).Chunk(piece))
            {
                await leaving.WriteAsync(bytes, TestToken);
            }
        }

        await using var successor = await AcceptSuccessorAsync(Hello);
        Assert.Equal(Answer.Length, await read.InTime());
        Assert.Equal(Answer, _buffer[..Answer.Length]);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 0)]
    public async Task Read_ServersFirstWordIsAnotherOne_IsShown(byte lastStream, byte error)
    {
        await using var client = await ConnectAsync();
        await client.WriteAsync(Hello, TestToken).InTime();
        await using var server = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite);
        var word = GoAway(lastStream, error);
        await server.WriteAsync(word, TestToken);
        Assert.Equal(_buffer.Length, await client.ReadAsync(_buffer, TestToken).InTime());
        Assert.Equal(word[..16], _buffer);
        Assert.Equal(1, await client.ReadAsync(_buffer, TestToken).InTime());
        Assert.Equal(word[16], _buffer[0]);
    }

    [Fact]
    public async Task Write_WaitsWhileItsServerSaysFarewellAndStays_GoesToTheSuccessor()
    {
        // More bytes than the ring has room for.
        var much = Pattern.Take(0, 200_000);
        await using var client = await ConnectAsync();
        var write = client.WriteAsync(much, TestToken).AsTask();
        await using var leaving = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite);
        Assert.False(write.IsCompleted);
        await leaving.WriteAsync(GoAway(lastStream: 0, error: 0), TestToken);
        var read = client.ReadAsync(_buffer, TestToken).AsTask();

        await using var successor = await AcceptSuccessorAsync(much);
        Assert.Equal(Answer.Length, await read.InTime());
        await write.InTime();
    }

    [Fact]
    public async Task Read_ManySuccessorsLeaveInOrder_TheLastGetsAllThatWasWritten()
    {
        var much = Pattern.Take(0, 200_000);
        await using var client = await ConnectAsync();
        var write = client.WriteAsync(much, TestToken).AsTask();
        var read = client.ReadAsync(_buffer, TestToken).AsTask();
        for (var i = 0; i < 5; i++)
        {
            await LeaveAsync(await _endPoint.AcceptAsync(), hasStreams: false);
        }

        await using var successor = await AcceptSuccessorAsync(much);
        Assert.Equal(Answer.Length, await read.InTime());
        await write.InTime();
    }

    [Fact]
    public async Task Read_FarewellAfterMoreThanIsKept_IsShown()
    {
        await using var client = await ConnectAsync();
        await using var server = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite);
        var write = client.WriteAsync(new byte[300_000], TestToken).AsTask();
        await server.ReadExactlyAsync(new byte[300_000], TestToken).InTime();
        await write.InTime();

        await server.WriteAsync(GoAway(lastStream: 0, error: 0), TestToken);
        Assert.Equal(_buffer.Length, await client.ReadAsync(_buffer, TestToken).InTime());
        Assert.Equal(GoAway(lastStream: 0, error: 0)[..16], _buffer);
    }

    [Fact]
    public async Task Read_ServerFailsBeforeItSaidAWord_FailsAndNobodyElseIsAsked()
    {
        await using var client = await ConnectAsync();
        await client.WriteAsync(Hello, TestToken).InTime();
        using var server = await _endPoint.AcceptAsync();
        server.Abort(new CloseCause(CloseCode.Aborted, "It failed.", ByPeer: false));
        await Assert.ThrowsAnyAsync<IOException>(() => client.ReadAsync(_buffer, TestToken).InTime());
    }

    [Fact]
    public async Task Read_NoSuccessor_FailsAsConnectingDoes()
    {
        await using var client = await ConnectAsync();
        await client.WriteAsync(Hello, TestToken).InTime();
        var server = await _endPoint.AcceptAsync();
        await _endPoint.Listener.DisposeAsync().InTime();
        server.Dispose();
        var failure = await Assert.ThrowsAnyAsync<IOException>(() => client.ReadAsync(_buffer, TestToken).InTime());
        Assert.Contains("No server listens", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_EndIsHeldBackOrConnectingGoesOn_EndsTheRead()
    {
        var client = await ConnectAsync();
        var server = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite);
        await server.WriteAsync(Answer, TestToken);
        Assert.Equal(Answer.Length, await client.ReadAsync(_buffer, TestToken).InTime());
        await server.DisposeAsync();
        var read = client.ReadAsync(_buffer, TestToken).AsTask();
        await client.DisposeAsync();
        await read.ContinueWith(
            static _ => { }, TestToken, TaskContinuationOptions.None, TaskScheduler.Default).InTime();
        await Assert.ThrowsAnyAsync<ObjectDisposedException>(() => client.ReadAsync(_buffer, TestToken).InTime());
    }

    private static byte[] GoAway(byte lastStream, byte error) =>
        [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, lastStream, 0, 0, 0, error];

    private static async Task LeaveAsync(SharedMemoryConnection server, bool hasStreams)
    {
        if (hasStreams)
        {
            await new RingStream(server, FileAccess.ReadWrite).DisposeAsync();
        }
        else
        {
            server.Dispose();
        }
    }

    [Theory]
    [InlineData("https", 20, true)]
    [InlineData("https", 23, true)]
    [InlineData("wss", 22, true)]
    [InlineData("https", 19, false)]
    [InlineData("https", 24, false)]
    [InlineData("wss", 'H', false)]
    [InlineData("http", 'H', true)]
    public async Task Read_FirstByte_HasToBeOfTlsIfTheRequestAsksForTls(string scheme, byte first, bool isTaken)
    {
        await using var client = await ConnectAsync(scheme);
        var read = client.ReadAsync(_buffer, TestToken).AsTask();
        await using var server = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite);
        await server.WriteAsync(new[] { first }, TestToken);

        if (isTaken)
        {
            Assert.Equal(1, await read.InTime());
            Assert.Equal(first, _buffer[0]);
        }
        else
        {
            var refused = await Assert.ThrowsAsync<AuthenticationException>(() => read.InTime());
            Assert.Contains("has no TLS", refused.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The next server, which gets the bytes that were written, and answers.</summary>
    private async Task<RingStream> AcceptSuccessorAsync(byte[] written)
    {
        var successor = new RingStream(await _endPoint.AcceptAsync(), FileAccess.ReadWrite);
        var received = new byte[written.Length];
        await successor.ReadExactlyAsync(received, TestToken).InTime();
        Assert.Equal(written, received);
        await successor.WriteAsync(Answer, TestToken);
        return successor;
    }

    private async Task<HandoverStream> ConnectAsync(string scheme = "http")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{scheme}://localhost/");
        return new HandoverStream(await _endPoint.ConnectAsync(), request, _ => _endPoint.ConnectAsync());
    }
}
