using System.Buffers;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Client.Http2;

/// <summary>
/// The bytes of a connection, for a <see cref="SocketsHttpHandler"/>. The handler treats the end of a server as a
/// failure unless everything comes in the order and at the pace of a network. The stream does three things, so that a
/// server can be replaced without a failed call:
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>When the server no longer reads, written bytes are dropped until the reader has come to the end. Before the
/// end comes the frame that says which requests the server has not taken; the handler sends those again elsewhere. If a
/// write failed instead, all of them would be lost.</item>
/// <item>The end of a server that closes in order is shown late. It comes right behind that frame, and requests that
/// are about to be sent at that moment would fail instead of going elsewhere. The handler closes the stream by itself
/// when it does not need it any more.</item>
/// <item>A server that closes in order before it has begun has taken nothing, not even the preface. Then the bytes that
/// were written so far go to its successor. A server has not begun if it has sent nothing, or if its first frame is its
/// farewell: the handler takes a connection that does not begin with the server's settings for broken, and fails all
/// its requests.</item>
/// </list>
/// <para>The end of a server that dies is shown at once. If the handler asks for TLS, and the server has none, the
/// stream says so.</para>
/// </remarks>
internal sealed class HandoverStream : AsyncStream
{
    // Before the server's first frame a client sends its preface, as much data as the connection's first window has
    // room for (65,535 bytes), and the headers of a hundred requests.
    private const int MostUnanswered = 256 * 1024;

    // A socket would take about as much before it reports that nobody reads.
    private const long MostDropped = 256 * 1024;

    private const int MostSuccessors = 32;

    // Longer than a busy machine lets a thread wait that is about to send a request. Callers wait for so long only if a
    // server closes in order and leaves requests unanswered.
    private static readonly TimeSpan EndDelay = TimeSpan.FromSeconds(2);

    private readonly Func<CancellationToken, Task<SharedMemoryConnection>> _connect;
    private readonly CancellationTokenSource _disposed = new();
    private readonly SemaphoreSlim _unansweredGate = new(1);
    private readonly bool _runInline;
    private readonly bool _hasTls;

    // Under its gate. The bytes for a successor; nothing once a successor can no longer be given all of them.
    private ArrayBufferWriter<byte>? _unanswered = new();

    // The rest of the first frame that has not been shown yet. The reader alone uses it.
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
    /// <param name="request">The request that needs the connection.</param>
    /// <param name="connect">Makes another connection, to the server's successor.</param>
    public HandoverStream(
        SharedMemoryConnection connection,
        HttpRequestMessage request,
        Func<CancellationToken, Task<SharedMemoryConnection>> connect)
    {
        // The read loop of HTTP/2 never blocks, so it may run on the reactor. A read loop with TLS may call the user's
        // certificate validation, and one of HTTP/1.1 may run the user's code; without TLS "2.0 or lower" means 1.1.
        _runInline = request.RequestUri?.Scheme == Uri.UriSchemeHttp
            && request.Version.Major == 2
            && request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower;
        _hasTls = request.RequestUri?.Scheme is "https" or "wss";
        _connect = connect;
        _connection = connection;
        _stream = Open(connection);
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
                if (_hasTls)
                {
                    TlsAnswer.Check(word.Span, _connection.EndPoint);
                }

                _firstWord = word;
            }
        }

        if (!_firstWord.IsEmpty)
        {
            return TakeFirstWord(buffer.Span);
        }

        // A read of 0 bytes into an empty buffer only says that there are bytes.
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
            // The source itself is not disposed: a read may be about to wait for its token. It holds no timer and no
            // handle.
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

    /// <summary>Reads until it is clear whether the server has begun.</summary>
    /// <returns>The bytes; none if the server has left in order without sending any.</returns>
    private async ValueTask<ReadOnlyMemory<byte>> ReadFirstWordAsync(CancellationToken cancellationToken)
    {
        // Not into the handler's buffer, which is smaller at first.
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
            // The same as an end: the server had not even begun.
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
            // The server has answered meanwhile, or there are more bytes than are kept for a successor.
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

    /// <summary>Waits for a write of bytes that are kept for a successor as well.</summary>
    private async ValueTask WriteKeptAsync(RingStream stream, ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (IOException) when (!_hasEnded && !IsDisposed)
        {
            // The reader will find the reason.
        }
        catch (ObjectDisposedException) when (stream != _stream && !IsDisposed)
        {
            // The server's successor has got these bytes.
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
            // The reader will find the reason.
        }
    }

    /// <summary>Connects to the server's successor, and sends it what the server has not read.</summary>
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

            // Last: a write that waits on the old stream ends by this, and has to see that there is a new one.
            await left.DisposeAsync().ConfigureAwait(false);

            // Pairs with the exchange in Dispose: either Dispose sees this stream, or IsDisposed is seen here.
            Interlocked.MemoryBarrier();
            if (IsDisposed)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }
            else
            {
                var write = stream.WriteAsync(_unanswered.WrittenMemory, ending.Token);
                await WriteKeptAsync(stream, write).ConfigureAwait(false);
            }

            return true;
        }
        finally
        {
            _unansweredGate.Release();
        }
    }
}
