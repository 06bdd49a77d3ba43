using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.Loans.Wire;

namespace GrpcShm.Loans.Tests.Wire;

/// <summary>Bytes and messages of which a certain thing has to become.</summary>
public sealed class MarshallerTests
{
    private readonly LoanPool _pool = new(new LoanPoolOptions { MaxLoanedBytes = 64 * 1024 });
    private readonly Marshaller<Loaned<WaferMap>> _maps;

    public MarshallerTests() =>
        _maps = Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber, _pool);

    [Theory]
    [InlineData(new byte[] { 0x7A, 0x05, 1, 2, 3 })]
    [InlineData(new byte[] { 0x7A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 1, 2, 3 })]
    [InlineData(new byte[] { 0x7A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2, 3 })]
    [InlineData(new byte[] { 0x7A, 0x80, 0x80, 0x80, 0x80, 0x08, 1, 2, 3 })]
    [InlineData(new byte[] { 0x7A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 })]
    [InlineData(new byte[] { 0x7A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00 })]
    [InlineData(new byte[] { 0x7A })]
    [InlineData(new byte[] { 0x7A, 0x80 })]
    [InlineData(new byte[] { 0x00 })]
    [InlineData(new byte[] { 0x02, 0x00 })]
    [InlineData(new byte[] { 0x7B, 0x08, 0x01 })]
    [InlineData(new byte[] { 0x7C })]
    [InlineData(new byte[] { 0x7E, 0x00 })]
    [InlineData(new byte[] { 0x7F, 0x00 })]
    public void Deserialize_HostileBytes_IsProtobufsErrorAndLendsNothing(byte[] bytes)
    {
        var expected = Assert.Throws<InvalidProtocolBufferException>(() => WaferMap.Parser.ParseFrom(bytes));

        var thrown = Assert.Throws<InvalidProtocolBufferException>(() => Read(bytes));

        Assert.Equal(expected.Message, thrown.Message);
        Assert.Equal((0, 0), (_pool.LoanedBytes, _pool.KeptBytes));
    }

    [Fact]
    public void Deserialize_OtherFieldIsBroken_LendsNothing()
    {
        byte[] bytes = [.. WireMessages.WriteBytes(15, new byte[100]), .. WireMessages.WriteBytes(3, [0xFF])];

        Assert.Throws<InvalidProtocolBufferException>(() => Read(bytes));

        Assert.Equal((0, 0), (_pool.LoanedBytes, _pool.KeptBytes));
    }

    [Fact]
    public void Deserialize_SeveralPayloads_TakesTheLast()
    {
        using var loan = Read(
        [
            .. WireMessages.WriteBytes(15, [1, 2]),
            .. WireMessages.WriteBytes(1, "lot"u8.ToArray()),
            .. WireMessages.WriteBytes(15, [3]),
        ]);

        Assert.Equal([3], loan.Payload.ToArray());
        Assert.Equal("lot", loan.Message.Lot);
        Assert.True(loan.Message.Pixels.IsEmpty);
    }

    [Fact]
    public void Deserialize_FieldOfThePayloadWithAnotherWireType_IsUnknown()
    {
        using var loan = Read([0x78, 0x05]);

        Assert.Equal(0, loan.PayloadLength);
        Assert.Equal(new byte[] { 0x78, 0x05 }, loan.Message.ToByteArray());
    }

    [Fact]
    public void Deserialize_PayloadWithinAGroup_IsNotTaken()
    {
        var olds = Loaned.CreateMarshaller(Old.Parser, Old.PixelsFieldNumber, _pool);
        var message = new Old
        {
            Extra = new Old.Types.Extra { Pixels = ByteString.CopyFrom(1) },
            Pixels = ByteString.CopyFrom(2),
        };

        using var loan = olds.ContextualDeserializer(
            new Received(new ReadOnlySequence<byte>(message.ToByteArray())));

        Assert.Equal([2], loan.Payload.ToArray());
        Assert.Equal([1], loan.Message.Extra.Pixels.ToByteArray());
    }

    [Fact]
    public void Deserialize_ManyPayloads_MakesNoLongChain()
    {
        var bytes = Enumerable.Repeat<byte[]>([0x7A, 0x01, 9], 10_000).SelectMany(static field => field).ToArray();

        Assert.False(PayloadSplitter.TrySplit(new ReadOnlySequence<byte>(bytes), 0x7A, out _, out _));
        using var loan = Read(bytes);

        Assert.Equal([9], loan.Payload.ToArray());
    }

    [Fact]
    public void Deserialize_MoreThanMayBeOnLoan_IsResourceExhausted()
    {
        var exception = Assert.Throws<RpcException>(() => Read(WireMessages.WriteBytes(15, new byte[64 * 1024 + 1])));

        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Equal(0, _pool.LoanedBytes);
    }

    [Fact]
    public void Deserialize_Payload_IsACopy()
    {
        var bytes = WireMessages.WriteBytes(15, [1, 2, 3]);
        using var loan = Read(bytes);

        bytes.AsSpan().Clear();

        Assert.Equal([1, 2, 3], loan.Payload.ToArray());
    }

    [Fact]
    public void Serialize_MessageHasAPayloadItself_IsMisuse()
    {
        using var loan = Loaned.Create(new WaferMap { Pixels = ByteString.CopyFrom(1) }, 10, _pool);

        var exception = Assert.Throws<InvalidOperationException>(
            () => _maps.ContextualSerializer(loan, new Sent()));

        Assert.Contains("grpcshm.loans.tests.WaferMap.pixels", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Serialize_LoanHasEnded_IsMisuse()
    {
        var loan = Loaned.Create(new WaferMap(), 10, _pool);
        loan.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _maps.ContextualSerializer(loan, new Sent()));
    }

    [Fact]
    public void Serialize_TwoGibibytes_IsResourceExhausted()
    {
        // The same memory again and again: nobody has two of them to spare.
        var large = Pieces.Of(new byte[64 * 1024 * 1024], 64 * 1024 * 1024);
        var payload = Repeat(large.First, 32);
        var sent = new Sent();

        var exception = Assert.Throws<RpcException>(
            () => _maps.ContextualSerializer(Loaned.Create(new WaferMap(), payload), sent));

        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
    }

    [Fact]
    public void Serialize_Again_GivesTheSameBytes()
    {
        using var loan = Loaned.Create(new WaferMap { Lot = "a" }, 5, _pool);
        loan.Memory.Span.Fill(3);
        var (first, second) = (new Sent(), new Sent());

        _maps.ContextualSerializer(loan, first);
        _maps.ContextualSerializer(loan, second);

        Assert.Equal(first.Bytes, second.Bytes);
        Assert.Equal(
            new WaferMap { Lot = "a", Pixels = ByteString.CopyFrom(3, 3, 3, 3, 3) },
            WaferMap.Parser.ParseFrom(first.Bytes));
    }

    [Fact]
    public void Serialize_LargestFieldNumber_IsReadByProtobuf()
    {
        var odds = Loaned.CreateMarshaller(Odd.Parser, Odd.FarFieldNumber, _pool);
        using var loan = Loaned.Create(new Odd { Text = "a" }, 300, _pool);
        loan.Memory.Span.Fill(7);
        var sent = new Sent();

        odds.ContextualSerializer(loan, sent);

        Assert.Equal(Enumerable.Repeat((byte)7, 300), Odd.Parser.ParseFrom(sent.Bytes).Far);
        using var read = odds.ContextualDeserializer(new Received(new ReadOnlySequence<byte>(sent.Bytes)));
        Assert.Equal(300, read.PayloadLength);
    }

    [Fact]
    public void Serialize_OptionalField_IsReadByProtobuf()
    {
        var odds = Loaned.CreateMarshaller(Odd.Parser, Odd.MaybeFieldNumber, _pool);
        using var empty = Loaned.Create(new Odd(), 0, _pool);
        var sent = new Sent();

        odds.ContextualSerializer(empty, sent);

        Assert.Empty(sent.Bytes);
    }

    [Theory]
    [InlineData(Odd.ManyFieldNumber)]
    [InlineData(Odd.TextFieldNumber)]
    [InlineData(Odd.OneFieldNumber)]
    [InlineData(99)]
    public void CreateMarshaller_FieldThatCannotBeAPayload_IsRefused(int number) =>
        Assert.Throws<ArgumentException>(() => Loaned.CreateMarshaller(Odd.Parser, number));

    [Fact]
    public void CreateMarshaller_RequiredField_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Loaned.CreateMarshaller(Strict.Parser, Strict.MustFieldNumber));

    [Fact]
    public void CreateMarshaller_FieldWithADefaultValue_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Loaned.CreateMarshaller(Preset.Parser, Preset.PixelsFieldNumber));

    private static ReadOnlySequence<byte> Repeat(ReadOnlyMemory<byte> memory, int times)
    {
        var first = new Link(memory, null);
        var last = first;
        for (var i = 1; i < times; i++)
        {
            last = new Link(memory, last);
        }

        return new ReadOnlySequence<byte>(first, 0, last, memory.Length);
    }

    private Loaned<WaferMap> Read(byte[] bytes) =>
        _maps.ContextualDeserializer(new Received(new ReadOnlySequence<byte>(bytes)));

    private sealed class Link : ReadOnlySequenceSegment<byte>
    {
        public Link(ReadOnlyMemory<byte> memory, Link? previous)
        {
            Memory = memory;
            if (previous is not null)
            {
                RunningIndex = previous.RunningIndex + previous.Memory.Length;
                previous.Next = this;
            }
        }
    }
}
