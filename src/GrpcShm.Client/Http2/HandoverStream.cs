using System.Buffers;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Client.Http2;

/// <summary>
/// A connection's bytes for a <see cref="SocketsHttpHandler"/>, which takes a server that goes away for a failure
/// unless it sees that in the order and at the pace of a network. So that a server can be replaced without a failed
/// call:
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>Where the server no longer reads, what is written is dropped until the reader has come to the end. Before that
/// lies the frame that says which requests the server has not taken, and those are sent again elsewhere; after a write
/// that fails they would all be lost.</item>
/// <item>The end of a server that closes in order is shown late. It comes right behind that frame, and requests that
/// are about to be sent by then would fail instead of going elsewhere. The handler closes the stream by itself when it
/// has no use for it.</item>
/// <item>A server that closes in order before it has begun has taken nothing, not even the preface. Then what was
/// written so far goes to its successor. That is so where it has said nothing, and also where its first word is its
/// farewell: the handler takes a connection that does not begin with the server's settings for broken, and fails all
/// its requests.</item>
/// </list>
/// <para>A server that dies is shown at once.</para>
/// </remarks>
internal sealed class HandoverStream : AsyncStream
{
    // Before the server's first word a client sends its preface, as much data as the connection's first window has room
    // for (65,535 bytes), and the headers of a hundred requests.
    private const int MostUnanswered = 256 * 1024;

    // What a socket would take, too, before it says that nobody reads.
    private const long MostDropped = 256 * 1024;

    private const int MostSuccessors = 32;

    // Longer than a busy machine keeps a thread of the pool waiting that is about to send a request. Only a server that
    // closes in order and leaves requests unanswered makes anybody wait for it.
    private static readonly TimeSpan EndDelay = TimeSpan.FromSeconds(2);

    private readonly Func<CancellationToken, Task<SharedMemoryConnection>> _connect;
    private readonly CancellationTokenSource _disposed = new();
    private readonly SemaphoreSlim _unansweredGate = new(1);
    private readonly bool _runInline;

    // Under its gate. None once there is nothing any more that a successor could be told.
    private ArrayBufferWriter<byte>? _unanswered = new();

    // The reader's: what of it has not been shown yet.
    private ReadOnlyMemory<byte> _firstWord;
    private SharedMemoryConnection _connection;
    private volatile RingStream _stream;
    private volatile bool _isAnswered;
    private volatile bool _hasEnded;
    private long _dropped;
    private int _successors;
    private int _isDisposed;

    /// <summary>
    /// The GOAWAY frame of a server that has opened no stream (last stream 0, NO_ERROR; RFC 9113, 6.8). Kestrel sends
    /// it instead of its settings where it is told to stop before it has read the client's preface.
    /// </summary>
    private static ReadOnlySpan<byte> Farewell => [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>Takes over a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="runInline">Whether what waits for its bytes may go on on the reactor's thread.</param>
    /// <param name="connect">Makes another one, to the server's successor.</param>
    public HandoverStream(
        SharedMemoryConnection connection, bool runInline, Func<CancellationToken, Task<SharedMemoryConnection>> connect)
    {
        _runInline = runInline;
        _connect = connect;
        _connection = connection;
        _stream = Open(connection);
    }

    /// <summary>Makes the stream of a connection's bytes.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="request">The request that needs it.</param>
    /// <param name="connect">Makes another one, if the server leaves before it has said anything.</param>
    public static HandoverStream Create(
        SharedMemoryConnection connection,
        HttpRequestMessage request,
        Func<CancellationToken, Task<SharedMemoryConnection>> connect)
    {
        // HTTP/2's own read loop never blocks and may run on the reactor. TLS may call the user's certificate
        // validation from there, and HTTP/1.1, which "2.0 or lower" means without TLS, the user's code.
        var runInline = request.RequestUri?.Scheme == Uri.UriSchemeHttp
            && request.Version.Major == 2
            && request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower;
        return new HandoverStream(connection, runInline, connect);
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!_isAnswered)
        {
            var word = await ReadFirstWordAsync(cancellationToken).ConfigureAwait(false);
            if ((!word.IsEmpty && !Farewell.SequenceEqual(word.Span))
                || !await TryReplaceAsync(cancellationToken).ConfigureAwait(false))
            {
                await ForgetAsync().ConfigureAwait(false);
                _firstWord = word;
            }
        }

        if (!_firstWord.IsEmpty)
        {
            return TakeFirstWord(buffer.Span);
        }

        // Nothing into no buffer only says that there is something.
        var count = await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return count > 0 || buffer.IsEmpty ? count : await EndAsync().ConfigureAwait(false);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_isAnswered)
        {
            return WriteUnansweredAsync(buffer, cancellationToken);
        }

        var write = _stream.WriteAsync(buffer, cancellationToken);
        return write.IsCompletedSuccessfully ? write : WriteOrDropAsync(write, buffer.Length);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            // Not disposed itself: a read may be about to wait on it. It has no timer and nothing else to let go.
            _disposed.Cancel();
            _stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    private bool HasLeftInOrder =>
        _connection.Cause is { ByPeer: true, Code: CloseCode.Graceful or CloseCode.NotServed };

    private RingStream Open(SharedMemoryConnection connection)
    {
        connection.RunInline = _runInline;
        return new RingStream(connection, FileAccess.ReadWrite);
    }

    /// <summary>Reads so much that it is clear whether the server has begun.</summary>
    /// <returns>Nothing if it has left in order without a word.</returns>
    private async ValueTask<ReadOnlyMemory<byte>> ReadFirstWordAsync(CancellationToken cancellationToken)
    {
        // Of its own: the handler begins with a smaller one.
        var word = new byte[Farewell.Length];
        var count = 0;
        try
        {
            int read;
            do
            {
                read = await _stream.ReadAsync(word.AsMemory(count), cancellationToken).ConfigureAwait(false);
                count += read;
            }
            while (read > 0 && count < word.Length && Farewell.StartsWith(word.AsSpan(0, count)));
        }
        catch (IOException) when (HasLeftInOrder)
        {
            // As an end: it had not even begun.
        }

        return word.AsMemory(0, count);
    }

    private int TakeFirstWord(Span<byte> buffer)
    {
        var count = Math.Min(_firstWord.Length, buffer.Length);
        _firstWord.Span[..count].CopyTo(buffer);
        _firstWord = _firstWord[count..];
        return count;
    }

    private async ValueTask<int> EndAsync()
    {
        await Task.Delay(EndDelay, _disposed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _hasEnded = true;
        return 0;
    }

    private async ValueTask ForgetAsync()
    {
        await _unansweredGate.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        Forget();
        _unansweredGate.Release();
    }

    /// <summary>Keeps nothing more for a successor. Under the gate.</summary>
    private void Forget()
    {
        _isAnswered = true;
        _unanswered = null;
    }

    /// <summary>Keeps more for a successor. Under the gate.</summary>
    private bool TryKeep(ReadOnlySpan<byte> bytes)
    {
        if (_unanswered is null || _unanswered.WrittenCount + bytes.Length > MostUnanswered)
        {
            // It has answered meanwhile, or a successor could not be told all of it.
            Forget();
            return false;
        }

        _unanswered.Write(bytes);
        return true;
    }

    private async ValueTask WriteUnansweredAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        bool isKept;
        RingStream stream;
        ValueTask write;
        await _unansweredGate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            isKept = TryKeep(buffer.Span);

            stream = _stream;
            write = stream.WriteAsync(buffer, cancellationToken);
        }
        finally
        {
            _unansweredGate.Release();
        }

        if (isKept)
        {
            await WriteKeptAsync(stream, write).ConfigureAwait(false);
        }
        else
        {
            await WriteOrDropAsync(write, buffer.Length).ConfigureAwait(false);
        }
    }

    /// <summary>Writes what a successor would be told, too.</summary>
    private async ValueTask WriteKeptAsync(RingStream stream, ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (IOException) when (!_hasEnded && !IsDisposed)
        {
            // The reader will come to why.
        }
        catch (ObjectDisposedException) when (stream != _stream && !IsDisposed)
        {
            // The server's successor has been told.
        }
    }

    private async ValueTask WriteOrDropAsync(ValueTask write, int length)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (IOException) when (!_hasEnded && !IsDisposed && Interlocked.Add(ref _dropped, length) <= MostDropped)
        {
            // The reader will come to why.
        }
    }

    /// <summary>Tells the server's successor what the server has not listened to.</summary>
    private async Task<bool> TryReplaceAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposed.Token);
        await _unansweredGate.WaitAsync(ending.Token).ConfigureAwait(false);
        try
        {
            if (_unanswered is null || _successors == MostSuccessors)
            {
                return false;
            }

            _successors++;
            var connection = await _connect(ending.Token).ConfigureAwait(false);
            var left = _stream;
            _connection = connection;
            var stream = Open(connection);
            _stream = stream;

            // Last: a write that waits there ends by this, and has to see that there is a successor.
            await left.DisposeAsync().ConfigureAwait(false);

            // Pairs with the exchange in Dispose: either that sees this stream, or this sees that.
            Interlocked.MemoryBarrier();
            if (IsDisposed)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }
            else
            {
                await WriteKeptAsync(stream, stream.WriteAsync(_unanswered.WrittenMemory, ending.Token)).ConfigureAwait(false);
            }

            return true;
        }
        finally
        {
            _unansweredGate.Release();
        }
    }
}
