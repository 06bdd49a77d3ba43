using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using GrpcShm.Differential.Requests;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Differential.Wire;

/// <summary>The client's side of direct mode, frame by frame, in the rings themselves.</summary>
/// <remarks>
/// This side has one thread. It writes Tail and ProducerState of the ring to the server, and Head and ConsumerSleeping
/// of the other ring. It stores them with release. It fences before it checks whether the server sleeps, and after it
/// has announced its own sleep, before it looks at the ring again: see docs/why/protocol.md, "Doorbells".
/// </remarks>
internal sealed unsafe partial class DirectWire : IWire
{
    private const int RingSize = 128 * 1024;
    private const int MaxFrame = 32 * 1024;
    private const int MaxCalls = 64;
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(20);

    private readonly ControlChannel _channel;
    private readonly MappedMemory _memory;
    private readonly List<SafeHandle> _handles;
    private readonly Doorbell _server;
    private readonly Task<ControlMessage> _farewell;
    private readonly Dictionary<uint, WireCall> _calls = [];
    private readonly Queue<uint> _ids = new(Enumerable.Range(0, MaxCalls).Select(static i => (uint)i));
    private readonly DirectBlock _blocks = new();

    // The answers to the frames that are being taken. They are sent afterwards, since waiting for room takes frames,
    // too.
    private readonly Queue<FrameHeader> _answers = [];
    private readonly int _ringToServer;
    private readonly int _ringToClient;

    public DirectWire(string path)
    {
        var socket = LinuxControlSocket.Connect(path, out _)
            ?? throw new IOException($"No server listens at '{path}'.");
        _channel = new ControlChannel(socket, ProcessReactors.Next());
        _channel.Send(new ClientHello(1, 1, ConnectionModes.Calls, RingSize, RingSize, 0).Write());
        var answer =
            _channel.ReceiveAsync(CancellationToken.None).AsTask().WaitAsync(HandshakeTime).GetAwaiter().GetResult();
        if (answer.Type != ControlMessageType.ServerHello)
        {
            throw new IOException($"The server answered {answer.Type}.");
        }

        var hello = ServerHello.Read(answer.Body);
        (_ringToServer, _ringToClient) = ((int)hello.ClientToServerSize, (int)hello.ServerToClientSize);
        _handles = answer.Attachments;
        _memory = TransportPlatform.Current.Open(_handles[0], SegmentLayout.TotalSize(_ringToServer, _ringToClient));
        _server = TransportPlatform.Current.OpenDoorbell(_handles[1]);
        _channel.Send(ControlMessage.Write(ControlMessageType.Ready, []));
        _farewell = _channel.ReceiveAsync(CancellationToken.None).AsTask();
    }

    public string? Ended { get; private set; }

    private RingControl* ToServer => (RingControl*)(_memory.Pointer + SegmentLayout.ClientToServerControl);

    private RingControl* ToClient => (RingControl*)(_memory.Pointer + SegmentLayout.ServerToClientControl);

    public WireCall Send(GeneratedRequest request, string mark)
    {
        while (_ids.Count == 0 && Ended is null)
        {
            Receive(1000);
        }

        if (Ended is not null)
        {
            return new WireCall(0) { LostBy = Ended };
        }

        var call = new WireCall(_ids.Dequeue());
        _calls.Add(call.Id, call);
        var body = request.Body;
        var trailers = request.Ending == Ending.Reset ? null : request.Trailers;
        var block = _blocks.Write(request.Fields, mark);
        var pieces = BlockPieces.Of(block.Length, request.Splits, MaxFrame - FrameHeader.Size).ToList();
        for (var i = 0; i < pieces.Count; i++)
        {
            var (start, length, isEnd) = pieces[i];

            // A block in one piece goes in one frame with the first data, as a client sends it that has both.
            var fits = length + (body.Count > 0 ? body[0].Length : 0) < MaxFrame - FrameHeader.Size;
            var first = isEnd && body.Count > 0 && request.Splits.Count == 0 && fits ? body[0] : [];
            var takes = first.Length > 0;
            var endsHere =
                isEnd && trailers is null && request.Ending == Ending.WithLast && body.Count == (takes ? 1 : 0);
            var flags = FrameFlags.Headers
                | (isEnd ? 0 : FrameFlags.Continues)
                | (endsHere ? FrameFlags.End : 0);
            WriteMessage(call, flags, block.AsSpan(start, length), first, []);
            body = takes ? [.. body.Skip(1)] : body;
        }

        for (var i = 0; i < body.Count; i++)
        {
            WriteData(call, body[i], i == body.Count - 1 && trailers is null && request.Ending == Ending.WithLast);
        }

        if (trailers is not null)
        {
            WriteTrailers(call, _blocks.Write(trailers, mark), request.Splits);
        }
        else if (request.Ending == Ending.Empty)
        {
            WriteMessage(call, FrameFlags.End, [], [], []);
        }

        return call;
    }

    public void Reset(WireCall call)
    {
        if (!call.HasSentEnd)
        {
            call.HasSentEnd = true;
            Publish(Control(FrameType.Reset, call.Id, (ulong)CallError.Cancelled), [], [], []);
            Leave(call);
        }
    }

    public void Receive(int milliseconds)
    {
        if (TakeAll() || Ended is not null)
        {
            return;
        }

        Volatile.Write(ref ToClient->ConsumerSleeping, 1);
        Interlocked.MemoryBarrier();
        if (!TakeAll() && Ended is null)
        {
            WaitForDoorbell(milliseconds);
            TakeAll();
        }

        Volatile.Write(ref ToClient->ConsumerSleeping, 0);
        if (_farewell.IsCompleted && !TakeAll())
        {
            End(DescribeFarewell());
        }
    }

    public void Dispose()
    {
        _channel.Dispose();
        _memory.Dispose();
        _handles.ForEach(static h => h.Dispose());
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int WaitForDescriptor(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadDescriptor(int descriptor, void* buffer, nuint count);

    private void WriteData(WireCall call, byte[] data, bool isLast)
    {
        const int Most = MaxFrame - FrameHeader.Size;
        for (var start = 0; start < data.Length || start == 0;)
        {
            var length = Math.Min(data.Length - start, Most);
            var isEnd = isLast && start + length == data.Length;
            WriteMessage(call, isEnd ? FrameFlags.End : FrameFlags.None, [], data.AsSpan(start, length), []);
            start += Math.Max(length, 1);
        }
    }

    private void WriteTrailers(WireCall call, byte[] block, IReadOnlyList<int> splits)
    {
        foreach (var (start, length, isEnd) in BlockPieces.Of(block.Length, splits, MaxFrame - FrameHeader.Size))
        {
            var flags = FrameFlags.Trailers | (isEnd ? FrameFlags.End : FrameFlags.Continues);
            WriteMessage(call, flags, [], [], block.AsSpan(start, length));
        }
    }

    private void WriteMessage(
        WireCall call,
        FrameFlags flags,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers)
    {
        if (call.HasSentEnd || (flags == FrameFlags.None && data.IsEmpty))
        {
            // The call was reset meanwhile, and this was answered; or the frame is empty.
            return;
        }

        var header = new FrameHeader
        {
            Length = (uint)(FrameHeader.Size + headers.Length + data.Length + trailers.Length),
            Type = FrameType.Message,
            Flags = flags,
            Call = call.Id,
            HeadersLength = (uint)headers.Length,
            TrailersLength = (uint)trailers.Length,
        };
        if (flags.HasFlag(FrameFlags.End))
        {
            call.HasSentEnd = true;
        }

        Publish(header, headers, data, trailers);
        Leave(call);
    }

    private static FrameHeader Control(FrameType type, uint call, ulong argument) =>
        new() { Length = FrameHeader.Size, Type = type, Call = call, Argument = argument };

    private void Publish(
        FrameHeader header, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> data, ReadOnlySpan<byte> trailers)
    {
        var control = ToServer;
        var ring = _memory.Pointer + SegmentLayout.ClientToServerData;
        var tail = control->Tail;
        var offset = (int)(tail % _ringToServer);
        var gap = offset + (int)header.Stride > _ringToServer ? _ringToServer - offset : 0;
        if (!WaitForRoom(gap + (int)header.Stride))
        {
            return;
        }

        if (gap > 0)
        {
            MemoryMarshal.Write(
                new Span<byte>(ring + offset, gap), new FrameHeader { Length = (uint)gap, Type = FrameType.Gap });
            offset = 0;
        }

        var frame = new Span<byte>(ring + offset, (int)header.Length);
        MemoryMarshal.Write(frame, header);
        headers.CopyTo(frame[FrameHeader.Size..]);
        data.CopyTo(frame[(FrameHeader.Size + headers.Length)..]);
        trailers.CopyTo(frame[(FrameHeader.Size + headers.Length + data.Length)..]);
        Volatile.Write(ref control->Tail, tail + gap + header.Stride);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref control->ConsumerSleeping) == 1
            && Interlocked.Exchange(ref control->ConsumerSleeping, 0) == 1)
        {
            _server.Ring();
        }
    }

    private bool WaitForRoom(int size)
    {
        var control = ToServer;
        for (var tries = 0; Ended is null; tries++)
        {
            if (control->Tail + size - Volatile.Read(ref control->Head) <= _ringToServer)
            {
                return true;
            }

            if (tries == 20_000)
            {
                throw new TimeoutException("The server does not read the ring.");
            }

            Receive(1);
        }

        return false;
    }

    private bool TakeAll()
    {
        var control = ToClient;
        var ring = _memory.Pointer + SegmentLayout.ServerToClientData(_ringToServer);
        var head = control->Head;
        var state = Volatile.Read(ref control->ProducerState);
        var tail = Volatile.Read(ref control->Tail);
        var hasTaken = head < tail;
        while (head < tail)
        {
            var available = new ReadOnlySpan<byte>(
                ring + (head % _ringToClient), (int)Math.Min(tail - head, _ringToClient - (head % _ringToClient)));
            var header = MemoryMarshal.Read<FrameHeader>(available);
            Take(header, available[FrameHeader.Size..(int)header.Length]);
            head += header.Stride;
        }

        Volatile.Write(ref control->Head, head);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref control->ProducerWaiting) == 1
            && Interlocked.Exchange(ref control->ProducerWaiting, 0) == 1)
        {
            _server.Ring();
        }

        if (state != RingEndState.Open && !hasTaken)
        {
            End(DescribeFarewell());
        }

        while (_answers.TryDequeue(out var answer))
        {
            Publish(answer, [], [], []);
        }

        return hasTaken;
    }

    private void Take(in FrameHeader header, ReadOnlySpan<byte> content)
    {
        if (header.Type == FrameType.Ping)
        {
            _answers.Enqueue(Control(FrameType.Pong, 0, header.Argument));
        }

        var hasCall = _calls.TryGetValue(header.Call, out var call);
        if (header.Type == FrameType.Message)
        {
            // This also reads blocks of calls that are over, since they may define a pair.
            var status =
                header.Has(FrameFlags.Headers) ? _blocks.ReadStatus(content[..(int)header.HeadersLength]) : null;
            if (header.Has(FrameFlags.Trailers))
            {
                _blocks.ReadStatus(content[^(int)header.TrailersLength..]);
            }

            if (hasCall)
            {
                call!.Status = status is null ? call.Status : int.Parse(status, CultureInfo.InvariantCulture);
                call.HasEnded |= header.Has(FrameFlags.End);
            }
        }
        else if (header.Type == FrameType.Reset && hasCall)
        {
            call!.ResetCode = call.HasEnded ? null : (uint)header.Argument;
            call.HasEnded |= call.ResetCode is null;
        }

        if (hasCall && call!.IsOver)
        {
            if (!call.HasSentEnd)
            {
                call.HasSentEnd = true;
                _answers.Enqueue(Control(FrameType.Reset, call.Id, (ulong)CallError.None));
            }

            Leave(call);
        }
    }

    /// <summary>Gives a call's slot back when both sides have ended.</summary>
    private void Leave(WireCall call)
    {
        if (call.HasSentEnd && call.IsOver && _calls.Remove(call.Id))
        {
            _ids.Enqueue(call.Id + 0x10000);
        }
    }

    private void WaitForDoorbell(int milliseconds)
    {
        var descriptor = new PollDescriptor { Descriptor = (int)_handles[2].DangerousGetHandle(), Events = 1 };
        if (WaitForDescriptor(&descriptor, 1, milliseconds) > 0)
        {
            ulong rings;
            _ = ReadDescriptor(descriptor.Descriptor, &rings, sizeof(ulong));
        }
    }

    private string DescribeFarewell()
    {
        try
        {
            var message = _farewell.WaitAsync(HandshakeTime).GetAwaiter().GetResult();
            return message.Body.Length >= 2
                ? $"{message.Type} {BinaryPrimitives.ReadUInt16LittleEndian(message.Body)}: "
                    + System.Text.Encoding.UTF8.GetString(message.Body[2..])
                : $"{message.Type}";
        }
        catch (IOException exception)
        {
            return exception.Message;
        }
    }

    private void End(string reason)
    {
        if (Ended is not null)
        {
            return;
        }

        Ended = reason;
        foreach (var call in _calls.Values)
        {
            call.LostBy = Ended;
        }

        _calls.Clear();
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short ReturnedEvents;
    }
}
