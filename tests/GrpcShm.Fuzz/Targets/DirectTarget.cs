using System.Runtime.InteropServices;
using GrpcShm.Transport;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// One end of a connection in direct mode. The peer writes any bytes into the ring, while the application goes on with
/// its calls. An input is a list of steps: one byte for the kind of step, and then the step's arguments.
/// </summary>
internal abstract unsafe class DirectTarget(ConnectionRole role) : IFuzzTarget, ICallAcceptor
{
    private const int Capacity = 4096;
    private const int MaxSteps = 60;
    private const int FrameStep = 0;
    private const int ControlStep = 1;
    private const int RawStep = 2;
    private const int ActStep = 3;
    private const int DrainStep = 4;
    private const int TamperStep = 5;
    private const int Steps = 6;

    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(10);

    private static readonly SharedMemoryEndPoint EndPoint = new("fuzz");
    private static readonly byte[] Block = [0x02, 0x0d, 0x01, (byte)'/'];

    private readonly List<FuzzCall> _calls = [];
    private RingControl* _inbound;
    private RingControl* _outbound;
    private byte* _inboundData;
    private byte* _outboundData;
    private ReceivedPairs _pairs = new();
    private CallConnection _connection = null!;
    private long _tail;
    private long _drained;
    private bool _isTampered;

    public abstract string Name { get; }

    public int Weight => 3;

    public int MaxLength => 600;

    public IEnumerable<byte[]> Seeds =>
    [
        [.. Frame(0, FrameFlags.Headers | FrameFlags.End), .. Act(0, 1, 10), DrainStep],
        [
            .. Frame(0, FrameFlags.Headers),
            .. Frame(0, FrameFlags.None, data: 200),
            .. Act(0, 3, 0),
            .. Frame(0, FrameFlags.Trailers | FrameFlags.End),
            DrainStep,
        ],
        [
            .. Frame(1, FrameFlags.Headers | FrameFlags.Continues),
            .. Frame(1, FrameFlags.Headers),
            .. Control(FrameType.Credit, 1, 100),
            .. Act(1, 2, 0),
        ],
        [
            .. Frame(2, FrameFlags.Headers),
            .. Control(FrameType.Reset, 2, 8),
            .. Control(FrameType.Ping, 0, 77),
            .. Control(FrameType.Pong, 0, 1),
            DrainStep,
        ],
        [
            .. Control(FrameType.GoAway, 0, 0),
            .. Frame(0, FrameFlags.Headers),
            RawStep, 3, 1, 2, 3,
            TamperStep, 0, 1, 64,
        ],
        [
            .. Frame(3, FrameFlags.Headers),
            .. Act(3, 0, 255),
            .. Act(3, 0, 255),
            .. Act(3, 0, 255),
            DrainStep,
            .. Act(3, 1, 255),
            DrainStep,
        ],
    ];

    public string Run(ReadOnlySpan<byte> input)
    {
        var reader = new InputReader(input);
        var seen = 0;
        _calls.Clear();
        (_tail, _drained, _isTampered, _pairs) = (0, 0, false, new ReceivedPairs());
        using var connection = Open();
        _connection = new CallConnection(
            connection,
            new CallSettings { MaxHeaderBytes = 256, RunMode = RunMode.ThreadPool },
            role == ConnectionRole.Server ? this : null);
        _connection.Start();
        BeginCalls();
        for (var i = 0; i < MaxSteps && !reader.IsEmpty && !_connection.Completion.IsCompleted; i++)
        {
            var step = reader.TakeByte() % Steps;
            seen |= 1 << step;
            Take(step, ref reader);
        }

        var hasEnded = _connection.Completion.IsCompleted;
        connection.Dispose();
        return Judge(hasEnded, seen);
    }

    CallStream? ICallAcceptor.Accept()
    {
        var call = new FuzzCall();
        _calls.Add(call);
        return call.Stream;
    }

    private static byte[] Frame(byte call, FrameFlags flags, byte data = 0)
    {
        byte[] headers = flags.HasFlag(FrameFlags.Headers) ? Block : [];
        return [FrameStep, call, (byte)flags, (byte)headers.Length, data, 0, 0, .. headers];
    }

    private static byte[] Control(FrameType type, byte call, long argument) =>
        [ControlStep, (byte)type, call, 0, .. BitConverter.GetBytes(argument)];

    private static byte[] Act(byte call, byte what, byte size) => [ActStep, call, what, size];

    private SharedMemoryConnection Open()
    {
        var memory = new PrivateMemory(SegmentLayout.TotalSize(Capacity, Capacity));
        var segment = SharedSegment.Create(memory, Capacity, Capacity);
        var toServer = (RingControl*)(memory.Pointer + SegmentLayout.ClientToServerControl);
        var toClient = (RingControl*)(memory.Pointer + SegmentLayout.ServerToClientControl);
        var toServerData = memory.Pointer + SegmentLayout.ClientToServerData;
        var toClientData = memory.Pointer + SegmentLayout.ServerToClientData(Capacity);
        var isServer = role == ConnectionRole.Server;
        _inbound = isServer ? toServer : toClient;
        _inboundData = isServer ? toServerData : toClientData;
        _outbound = isServer ? toClient : toServer;
        _outboundData = isServer ? toClientData : toServerData;
        var reactor = ProcessReactors.Next();
        var platform = TransportPlatform.Current;
        var parts = new ConnectionParts(
            role,
            new ControlChannel(new SilentSocket(), reactor),
            segment,
            platform.CreateDoorbell(),
            platform.CreateDoorbell(),
            reactor)
        {
            Mode = ConnectionModes.Calls,
            MaxCalls = 8,
        };
        return new SharedMemoryConnection(parts, EndPoint, TransportMetrics.For(null), NullLogger.Instance);
    }

    private void BeginCalls()
    {
        for (var i = 0; i < 4 && role == ConnectionRole.Client; i++)
        {
            var call = new FuzzCall();
            if (_connection.TryBegin(call.Stream))
            {
                _calls.Add(call);
                call.Begin("/fuzz");
            }
        }
    }

    private void Take(int step, ref InputReader reader)
    {
        switch (step)
        {
            case FrameStep:
                PublishFrame(ref reader);
                break;
            case ControlStep:
                PublishControl(ref reader);
                break;
            case RawStep:
                Publish(TakeBytes(ref reader, reader.TakeByte()));
                break;
            case ActStep:
                var (index, what, size) = (reader.TakeByte(), reader.TakeByte(), reader.TakeByte());
                if (_calls.Count > 0 && !_calls[index % _calls.Count].HasLeftOnce)
                {
                    _calls[index % _calls.Count].Act(what, size);
                }

                break;
            case DrainStep:
                Drain();
                break;
            default:
                Tamper(ref reader);
                break;
        }

        // The reactor does this when the doorbell was rung.
        _connection.Receiving.Signal(onReactor: false);
    }

    private void PublishFrame(ref InputReader reader)
    {
        var call = IdOf(reader.TakeByte());
        var flags = (FrameFlags)reader.TakeByte();
        var (headers, data, trailers) = (reader.TakeByte(), reader.TakeByte(), reader.TakeByte());
        var lie = (sbyte)reader.TakeByte();
        var frame = new byte[FrameHeader.Size + headers + data + trailers];
        MemoryMarshal.Write(frame, new FrameHeader
        {
            Length = (uint)(frame.Length + lie),
            Type = FrameType.Message,
            Flags = flags,
            Call = call,
            HeadersLength = headers,
            TrailersLength = trailers,
        });
        TakeBytes(ref reader, headers).CopyTo(frame.AsSpan(FrameHeader.Size));
        TakeBytes(ref reader, trailers).CopyTo(frame.AsSpan(FrameHeader.Size + headers + data));
        Publish(frame);
    }

    private void PublishControl(ref InputReader reader)
    {
        var frame = new byte[FrameHeader.Size];
        var type = (FrameType)reader.TakeByte();
        var call = type is FrameType.Credit or FrameType.Reset or FrameType.Message
            ? IdOf(reader.TakeByte())
            : reader.TakeByte();
        MemoryMarshal.Write(frame, new FrameHeader
        {
            Length = FrameHeader.Size,
            Type = type,
            Flags = (FrameFlags)reader.TakeByte(),
            Call = call,
            Argument = (ulong)reader.TakeInt64(),
        });
        Publish(frame);
    }

    /// <summary>Writes bytes to the place of the next frame, by the rules of the ring.</summary>
    private void Publish(ReadOnlySpan<byte> bytes)
    {
        var stride = (bytes.Length + FrameHeader.Alignment - 1) & -FrameHeader.Alignment;
        var offset = (int)_tail & (Capacity - 1);
        if (offset + stride > Capacity)
        {
            MemoryMarshal.Write(
                new Span<byte>(_inboundData + offset, FrameHeader.Size),
                new FrameHeader { Length = (uint)(Capacity - offset), Type = FrameType.Gap });
            _tail += Capacity - offset;
            offset = 0;
        }

        if (_tail + stride - Volatile.Read(ref _inbound->Head) > Capacity)
        {
            return;
        }

        bytes.CopyTo(new Span<byte>(_inboundData + offset, Capacity));
        _tail += stride;
        Volatile.Write(ref _inbound->Tail, _tail);
    }

    /// <summary>
    /// Reads the frames that this side has sent. They must always be valid, whatever the peer has sent.
    /// </summary>
    private void Drain()
    {
        var tail = Volatile.Read(ref _outbound->Tail);
        while (!_isTampered && _drained < tail)
        {
            var offset = (int)_drained & (Capacity - 1);
            var available = new ReadOnlySpan<byte>(
                _outboundData + offset, (int)Math.Min(tail - _drained, Capacity - offset));
            var peer = role == ConnectionRole.Client ? ConnectionRole.Server : ConnectionRole.Client;
            var header = FrameReader.Read(available, peer);
            if (header.Type == FrameType.Message)
            {
                Verify(available.Slice(FrameHeader.Size, (int)header.HeadersLength));
                Verify(available.Slice((int)(header.Length - header.TrailersLength), (int)header.TrailersLength));
            }

            _drained += header.Stride;
        }

        if (!_isTampered)
        {
            Volatile.Write(ref _outbound->Head, tail);
        }
    }

    private void Verify(ReadOnlySpan<byte> block)
    {
        var reader = new HeaderReader(block, _pairs);
        while (reader.Read())
        {
            HeaderBlockTarget.Verify(reader);
        }
    }

    private void Tamper(ref InputReader reader)
    {
        _isTampered = true;
        var (field, kind, near) = (reader.TakeByte(), reader.TakeByte(), (sbyte)reader.TakeByte());
        var value = (kind % 4) switch
        {
            0 => near,
            1 => _tail + near,
            2 => _outbound->Tail + near,
            _ => reader.TakeInt64(),
        };
        switch (field % 4)
        {
            case 0:
                _inbound->Tail = value;
                break;
            case 1:
                _outbound->Head = value;
                break;
            case 2:
                _outbound->Tail = value;
                break;
            default:
                _inbound->ProducerState = (uint)value;
                break;
        }
    }

    // Mostly an existing or possible call, sometimes any number.
    private uint IdOf(byte choice) =>
        choice < 16 && role == ConnectionRole.Client && _calls.Count > 0 ? _calls[choice % _calls.Count].Stream.Id
        : choice < 240 ? (uint)(choice % 10) | ((uint)(choice / 80) << 16)
        : uint.MaxValue - choice;

    private static ReadOnlySpan<byte> TakeBytes(ref InputReader reader, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            bytes[i] = reader.TakeByte();
        }

        return bytes;
    }

    private string Judge(bool endedByPeer, int seen)
    {
        // After a going away a client checks its calls on the thread pool, which may have the turn just now.
        FuzzFailureException.ThrowIf(
            !_connection.Completion.Wait(EndsWithin), "The connection has been closed, but its calls go on.");
        var failure = _connection.Completion.Result;
        FuzzFailureException.ThrowIf(
            failure is not (SharedMemoryProtocolException or IOException or ObjectDisposedException),
            $"The connection ended by an error that no peer can cause: {failure}");
        FuzzFailureException.ThrowIf(_calls.Exists(call => call.IsConfused), "A call got an event twice.");
        FuzzFailureException.ThrowIf(
            !_calls.TrueForAll(call => call.HasLeftOnce), "A call has not left its connection.");
        FuzzFailureException.ThrowIf(_connection.ActiveCalls != 0, "The connection has ended, but still counts calls.");
        return endedByPeer ? Outcome.Of(failure) : $"{seen:x} {_calls.Count} calls";
    }
}
