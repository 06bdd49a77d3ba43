using System.Buffers.Binary;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Tests;

/// <summary>A server's side of HTTP/2, frame by frame: RFC 9113, 4.1 and 6.</summary>
internal sealed class Http2Peer(SharedMemoryConnection connection) : IAsyncDisposable
{
    private const int PrefaceLength = 24;
    private const int HeaderLength = 9;
    private readonly RingStream _stream = new(connection, FileAccess.ReadWrite);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Takes the client's preface and sends the server's settings.</summary>
    public async Task BeginAsync()
    {
        await ReadAsync(PrefaceLength);
        await WriteAsync(type: 4, flags: 0, stream: 0);
    }

    /// <summary>Waits for the next request.</summary>
    /// <returns>The number of its stream.</returns>
    public Task<int> RequestAsync() => ReadFrameAsync(type: 1);

    /// <summary>Waits for data of a request.</summary>
    public Task<int> DataAsync() => ReadFrameAsync(type: 0);

    public Task GoAwayAsync(int lastStream) => WriteAsync(type: 7, flags: 0, stream: 0, lastStream, 0);

    public Task ResetAsync(int stream, int error) => WriteAsync(type: 3, flags: 0, stream, error);

    /// <summary>Answers with the status 200 alone.</summary>
    public async Task AnswerAsync(int stream)
    {
        const byte EndStreamAndHeaders = 5;
        const byte Status200 = 0x88;
        await _stream.WriteAsync(
            new byte[] { 0, 0, 1, 1, EndStreamAndHeaders, 0, 0, 0, (byte)stream, Status200 }, Token);
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<int> ReadFrameAsync(byte type)
    {
        while (true)
        {
            var header = await ReadAsync(HeaderLength);
            await ReadAsync((header[0] << 16) | (header[1] << 8) | header[2]);
            if (header[3] == type)
            {
                return BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5));
            }
        }
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _stream.ReadExactlyAsync(bytes, Token).InTime();
        return bytes;
    }

    private Task WriteAsync(byte type, byte flags, int stream, params int[] payload)
    {
        var frame = new byte[HeaderLength + (payload.Length * sizeof(int))];
        frame[2] = (byte)(payload.Length * sizeof(int));
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        for (var i = 0; i < payload.Length; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(HeaderLength + (i * sizeof(int))), payload[i]);
        }

        return _stream.WriteAsync(frame, Token).InTime();
    }
}
