using System.Runtime.InteropServices;
using CsCheck;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class FrameReaderTests
{
    private static readonly Gen<(byte[] Bytes, int Type, int Length, int Units)> Frames =
        Gen.Select(Gen.Byte.Array[24], Gen.Int[0, 8], Gen.Int[0, 200], Gen.Int[1, 4]);

    private const FrameFlags Nothing = FrameFlags.None;
    private const FrameFlags Headers = FrameFlags.Headers;
    private const FrameFlags Trailers = FrameFlags.Trailers;
    private const FrameFlags Continues = FrameFlags.Continues;
    private const FrameFlags End = FrameFlags.End;

    [Theory]
    [InlineData(24u, (int)Nothing, 0u, 0u)]
    [InlineData(24u, (int)End, 0u, 0u)]
    [InlineData(24u, (int)(Headers | End), 0u, 0u)]
    [InlineData(24u, (int)(Headers | Trailers | End), 0u, 0u)]
    [InlineData(100u, (int)(Headers | Trailers | End), 30u, 46u)]
    [InlineData(100u, (int)(Headers | Trailers | Continues), 30u, 6u)]
    [InlineData(100u, (int)(Headers | Continues), 76u, 0u)]
    [InlineData(128u, (int)Headers, 104u, 0u)]
    [InlineData(128u, (int)(Trailers | End), 0u, 104u)]
    public void Read_MessageThatMayBe_IsTaken(uint length, int flags, uint headers, uint trailers)
    {
        var header = Message(length, (FrameFlags)flags, headers, trailers);
        var read = FrameReader.Read(Bytes(header, 128), ConnectionRole.Server);
        Assert.Equal(header, read);
    }

    [Theory]
    [InlineData(0u, (int)Nothing, 0u, 0u)]
    [InlineData(23u, (int)Nothing, 0u, 0u)]
    [InlineData(129u, (int)Nothing, 0u, 0u)]
    [InlineData(uint.MaxValue, (int)Nothing, 0u, 0u)]
    [InlineData(uint.MaxValue - 62, (int)Nothing, 0u, 0u)]
    [InlineData(0x80000000u, (int)Nothing, 0u, 0u)]
    [InlineData(100u, 16, 0u, 0u)]
    [InlineData(100u, 0x81, 10u, 0u)]
    [InlineData(100u, (int)Headers, 77u, 0u)]
    [InlineData(100u, (int)Headers, uint.MaxValue, 0u)]
    [InlineData(100u, (int)(Headers | Trailers | End), uint.MaxValue, 1u)]
    [InlineData(100u, (int)(Headers | Trailers | End), 0x80000000u, 0x80000000u)]
    [InlineData(100u, (int)(Headers | Trailers | End), 38u, 39u)]
    [InlineData(100u, (int)Nothing, 1u, 0u)]
    [InlineData(100u, (int)End, 0u, 1u)]
    [InlineData(100u, (int)Trailers, 0u, 10u)]
    [InlineData(100u, (int)Continues, 0u, 0u)]
    [InlineData(100u, (int)(Continues | End), 0u, 0u)]
    [InlineData(100u, (int)(Headers | Continues), 75u, 0u)]
    [InlineData(100u, (int)(Headers | Continues | End), 76u, 0u)]
    [InlineData(100u, (int)(Trailers | Continues | End), 0u, 76u)]
    public void Read_MessageThatMayNotBe_Throws(uint length, int flags, uint headers, uint trailers) =>
        Assert.Throws<SharedMemoryProtocolException>(
            () => FrameReader.Read(
                Bytes(Message(length, (FrameFlags)flags, headers, trailers), 128), ConnectionRole.Server));

    [Theory]
    [InlineData((int)FrameType.Credit, 24u, 0, 7u, 5uL, true)]
    [InlineData((int)FrameType.Credit, 24u, 0, 7u, 262_144uL, true)]
    [InlineData((int)FrameType.Credit, 24u, 0, 7u, 262_145uL, false)]
    [InlineData((int)FrameType.Credit, 24u, 0, 7u, 0uL, false)]
    [InlineData((int)FrameType.Credit, 24u, 0, 7u, (ulong)uint.MaxValue + 2, false)]
    [InlineData((int)FrameType.Credit, 25u, 0, 7u, 5uL, false)]
    [InlineData((int)FrameType.Credit, 24u, 1, 7u, 5uL, false)]
    [InlineData((int)FrameType.Reset, 24u, 0, 7u, 8uL, true)]
    [InlineData((int)FrameType.Reset, 24u, 0, 7u, (ulong)uint.MaxValue, true)]
    [InlineData((int)FrameType.Reset, 24u, 0, 7u, (ulong)uint.MaxValue + 1, false)]
    [InlineData((int)FrameType.Reset, 24u, 0, 7u, ulong.MaxValue, false)]
    [InlineData((int)FrameType.Reset, 64u, 0, 7u, 8uL, false)]
    [InlineData((int)FrameType.Reset, 24u, 8, 7u, 8uL, false)]
    [InlineData((int)FrameType.Ping, 24u, 0, 0u, ulong.MaxValue, true)]
    [InlineData((int)FrameType.Ping, 24u, 0, 1u, 0uL, false)]
    [InlineData((int)FrameType.Ping, 24u, 2, 0u, 0uL, false)]
    [InlineData((int)FrameType.Pong, 24u, 0, 0u, 1uL, true)]
    [InlineData((int)FrameType.Pong, 25u, 0, 0u, 1uL, false)]
    [InlineData((int)FrameType.Gap, 128u, 0, 0u, 0uL, true)]
    [InlineData((int)FrameType.Gap, 64u, 0, 0u, 0uL, false)]
    [InlineData((int)FrameType.Gap, 128u, 0, 0u, 1uL, false)]
    [InlineData((int)FrameType.Gap, 128u, 0, 1u, 0uL, false)]
    [InlineData((int)FrameType.Gap, 128u, 4, 0u, 0uL, false)]
    [InlineData((int)FrameType.None, 24u, 0, 0u, 0uL, false)]
    [InlineData(8, 24u, 0, 0u, 0uL, false)]
    [InlineData(255, 24u, 0, 0u, 0uL, false)]
    public void Read_OtherTypes_AreTakenOrThrow(
        int type, uint length, int flags, uint call, ulong argument, bool isTaken)
    {
        var header = new FrameHeader
        {
            Length = length, Type = (FrameType)type, Flags = (FrameFlags)flags, Call = call, Argument = argument,
        };
        var bytes = Bytes(header, 128);
        if (isTaken)
        {
            Assert.Equal(header, FrameReader.Read(bytes, ConnectionRole.Server));
        }
        else
        {
            Assert.Throws<SharedMemoryProtocolException>(() => FrameReader.Read(bytes, ConnectionRole.Server));
        }
    }

    [Fact]
    public void Read_GoAway_IsForClientsOnly()
    {
        var bytes = Bytes(new FrameHeader { Length = 24, Type = FrameType.GoAway }, 64);
        FrameReader.Read(bytes, ConnectionRole.Client);
        var withArgument = Bytes(new FrameHeader { Length = 24, Type = FrameType.GoAway, Argument = 1 }, 64);
        Assert.Throws<SharedMemoryProtocolException>(() => FrameReader.Read(withArgument, ConnectionRole.Client));
        Assert.Throws<SharedMemoryProtocolException>(() => FrameReader.Read(bytes, ConnectionRole.Server));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(23)]
    public void Read_LessThanAHeader_Throws(int available) =>
        Assert.Throws<SharedMemoryProtocolException>(
            () => FrameReader.Read(new byte[available], ConnectionRole.Server));

    [Fact]
    public void Read_ReservedIsSet_Throws()
    {
        var header = Message(24, End, 0, 0);
        header.Reserved = 1;
        Assert.Throws<SharedMemoryProtocolException>(() => FrameReader.Read(Bytes(header, 64), ConnectionRole.Server));
    }

    [Fact]
    public void Read_AnyBytes_IsAFrameWithinThemOrThrows() =>
        Frames.Sample((bytes, type, length, units) =>
        {
            var available = new byte[units * 64];
            bytes.CopyTo(available, 0);
            available[4] = (byte)type;
            MemoryMarshal.Write(available, length);
            try
            {
                var header = FrameReader.Read(available, ConnectionRole.Client);
                Assert.InRange(header.Length, 24u, (uint)available.Length);
                Assert.InRange(header.Stride, header.Length, (uint)available.Length);
                if (header.Type == FrameType.Message)
                {
                    Assert.True(
                        (ulong)header.HeadersLength + header.TrailersLength + FrameHeader.Size <= header.Length);
                }
            }
            catch (SharedMemoryProtocolException)
            {
                // To refuse the frame is as good.
            }
        });

    [Fact]
    public void Header_EachField_IsWhereTheProtocolSays()
    {
        Assert.Equal(24, Marshal.SizeOf<FrameHeader>());
        foreach (var (field, offset) in new[]
        {
            ("Length", 0), ("Type", 4), ("Flags", 5), ("Reserved", 6), ("Call", 8), ("Checksum", 12),
            ("HeadersLength", 16), ("TrailersLength", 20), ("Argument", 16),
        })
        {
            Assert.Equal(offset, (int)Marshal.OffsetOf<FrameHeader>(field));
        }
    }

    private static FrameHeader Message(uint length, FrameFlags flags, uint headers, uint trailers) => new()
    {
        Length = length,
        Type = FrameType.Message,
        Flags = flags,
        Call = 0x10003,
        HeadersLength = headers,
        TrailersLength = trailers,
    };

    private static byte[] Bytes(FrameHeader header, int available)
    {
        var bytes = new byte[available];
        MemoryMarshal.Write(bytes, header);
        return bytes;
    }
}
