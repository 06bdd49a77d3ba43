using System.Buffers.Binary;
using System.Net.Sockets;
using GrpcShm.Differential.Requests;

namespace GrpcShm.Differential.Wire;

/// <summary>The client's side of HTTP/2, frame by frame, over a Unix socket.</summary>
internal sealed class Http2Wire : IWire
{
    private const int MaxFrame = 16 * 1024;
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte RstStream = 3;
    private const byte SettingsFrame = 4;
    private const byte Ping = 6;
    private const byte GoAway = 7;
    private const byte WindowUpdate = 8;
    private const byte Continuation = 9;
    private const byte EndStream = 1;
    private const byte Ack = 1;
    private const byte EndHeaders = 4;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Dictionary<uint, WireCall> _calls = [];
    private readonly MemoryStream _out = new();
    private readonly byte[] _in = new byte[256 * 1024];
    private int _filled;
    private uint _nextId = 1;
    private long _window = 65535;

    public Http2Wire(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _out.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);

        // A table of size 0, so that no state of one answer is needed for the next.
        WriteFrame(SettingsFrame, 0, 0, [0, 1, 0, 0, 0, 0]);
        Span<byte> more = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(more, 1 << 30);
        WriteFrame(WindowUpdate, 0, 0, more);
    }

    public string? Ended { get; private set; }

    public WireCall Send(GeneratedRequest request, string mark)
    {
        var call = new WireCall(_nextId);
        _nextId += 2;
        if (Ended is not null)
        {
            call.LostBy = Ended;
            return call;
        }

        _calls.Add(call.Id, call);
        var endsWithHeaders = request.Body.Count == 0 && request.Trailers is null && request.Ending == Ending.WithLast;
        WriteBlock(call, HpackBlock.Write(request.Fields, mark), request.Splits, endsWithHeaders);
        for (var i = 0; i < request.Body.Count; i++)
        {
            var isLast = i == request.Body.Count - 1 && request.Trailers is null && request.Ending == Ending.WithLast;
            WriteData(call, request.Body[i], isLast);
        }

        if (request.Trailers is { } trailers && request.Ending != Ending.Reset)
        {
            WriteBlock(call, HpackBlock.Write(trailers, mark), request.Splits, isLast: true);
        }
        else if (request.Ending == Ending.Empty)
        {
            WriteFrame(Data, EndStream, call.Id, []);
        }

        call.HasSentEnd = request.Ending != Ending.Reset;
        Flush();
        return call;
    }

    public void Reset(WireCall call)
    {
        call.HasSentEnd = true;
        WriteFrame(RstStream, 0, call.Id, [0, 0, 0, 8]);
        Flush();
    }

    public void Receive(int milliseconds)
    {
        try
        {
            if (Ended is null && _socket.Poll(TimeSpan.FromMilliseconds(milliseconds), SelectMode.SelectRead))
            {
                ReceiveSome();
            }
        }
        catch (SocketException exception)
        {
            End(exception.SocketErrorCode.ToString());
        }
    }

    public void Dispose() => _socket.Dispose();

    private void ReceiveSome()
    {
        var count = _socket.Receive(_in.AsSpan(_filled));
        if (count == 0)
        {
            End("closed");
            return;
        }

        _filled += count;
        var taken = 0;
        while (_filled - taken >= 9)
        {
            var length = (_in[taken] << 16) | (_in[taken + 1] << 8) | _in[taken + 2];
            if (_filled - taken < 9 + length)
            {
                break;
            }

            var id = BinaryPrimitives.ReadUInt32BigEndian(_in.AsSpan(taken + 5)) & int.MaxValue;
            Take(_in[taken + 3], _in[taken + 4], id, _in.AsSpan(taken + 9, length));
            taken += 9 + length;
        }

        _in.AsSpan(taken, _filled - taken).CopyTo(_in);
        _filled -= taken;
        Flush();
    }

    private void Take(byte type, byte flags, uint id, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case SettingsFrame when (flags & Ack) == 0:
                WriteFrame(SettingsFrame, Ack, 0, []);
                break;
            case Ping when (flags & Ack) == 0:
                WriteFrame(Ping, Ack, 0, content);
                break;
            case WindowUpdate when id == 0:
                _window += BinaryPrimitives.ReadUInt32BigEndian(content);
                break;
            case GoAway:
                End($"go away {BinaryPrimitives.ReadUInt32BigEndian(content[4..])}");
                break;
        }

        if (!_calls.TryGetValue(id, out var call))
        {
            return;
        }

        switch (type)
        {
            case Headers:
                // A block of trailers has no status. Of several statuses the last one counts; the others are interim.
                call.Status = HpackBlock.ReadStatus(content) ?? call.Status;
                break;
            case RstStream:
                call.ResetCode = BinaryPrimitives.ReadUInt32BigEndian(content);
                break;
        }

        if (type is Headers or Data && (flags & EndStream) != 0)
        {
            call.HasEnded = true;
        }

        if (call.IsOver)
        {
            _calls.Remove(id);
        }
    }

    private void WriteBlock(WireCall call, byte[] block, IReadOnlyList<int> splits, bool isLast)
    {
        var type = Headers;
        var flags = isLast ? EndStream : (byte)0;
        foreach (var (start, length, isEnd) in BlockPieces.Of(block.Length, splits, MaxFrame))
        {
            WriteFrame(type, (byte)(flags | (isEnd ? EndHeaders : 0)), call.Id, block.AsSpan(start, length));
            type = Continuation;
            flags = 0;
        }
    }

    private void WriteData(WireCall call, byte[] data, bool isLast)
    {
        for (var start = 0; start < data.Length || start == 0;)
        {
            var length = Math.Min(data.Length - start, MaxFrame);
            WaitForWindow(length);
            var isEnd = isLast && start + length == data.Length;
            WriteFrame(Data, isEnd ? EndStream : (byte)0, call.Id, data.AsSpan(start, length));
            start += Math.Max(length, 1);
        }
    }

    private void WaitForWindow(int length)
    {
        for (var tries = 0; _window < length && Ended is null; tries++)
        {
            if (tries == 200)
            {
                throw new TimeoutException("The server does not open its window.");
            }

            Flush();
            Receive(100);
        }

        _window -= length;
    }

    private void WriteFrame(byte type, byte flags, uint id, ReadOnlySpan<byte> content)
    {
        Span<byte> header = stackalloc byte[9];
        BinaryPrimitives.WriteInt32BigEndian(header[1..], content.Length << 8 >> 8);
        header[0] = (byte)(content.Length >> 16);
        header[1] = (byte)(content.Length >> 8);
        header[2] = (byte)content.Length;
        header[3] = type;
        header[4] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(header[5..], id);
        _out.Write(header);
        _out.Write(content);
    }

    private void Flush()
    {
        if (_out.Length == 0)
        {
            return;
        }

        try
        {
            _socket.Send(_out.GetBuffer().AsSpan(0, (int)_out.Length));
        }
        catch (SocketException)
        {
            // The end and its reason are read by the receiving code.
        }

        _out.SetLength(0);
    }

    private void End(string reason)
    {
        // After a going away with an error the socket ends, and the error says more.
        Ended ??= reason;
        foreach (var call in _calls.Values)
        {
            call.LostBy = Ended;
        }

        _calls.Clear();
    }
}
