using System.Buffers;
using CsCheck;
using Google.Protobuf;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Wire;

/// <summary>What protobuf's own parser makes of bytes, and what the marshaller of loans makes of them.</summary>
public sealed class MarshallerPropertyTests
{
    private static readonly LoanPool Pool = new();

    private static readonly Marshaller<Loaned<WaferMap>> Maps =
        Loaned.CreateMarshaller(WaferMap.Parser, WaferMap.PixelsFieldNumber, Pool);

    private static readonly Marshaller<Loaned<Narrow>> Narrows =
        Loaned.CreateMarshaller(Narrow.Parser, Narrow.PixelsFieldNumber, Pool);

    private static readonly Marshaller<Loaned<Old>> Olds =
        Loaned.CreateMarshaller(Old.Parser, Old.PixelsFieldNumber, Pool);

    [Fact]
    public void Deserialize_AnyFieldsInAnyOrderAndPieces_IsWhatProtobufReads() => Compare(WireMessages.Fields, 20_000);

    [Fact]
    public void Deserialize_ChangedBytes_IsWhatProtobufReadsOrTheSameError() => Compare(WireMessages.Mutated, 40_000);

    [Fact]
    public void Deserialize_AnyBytes_IsWhatProtobufReadsOrTheSameError() => Compare(Gen.Byte.Array[0, 60], 40_000);

    [Fact]
    public void Serialize_AnyMessage_IsReadByProtobuf() =>
        Gen.Select(WireMessages.Fields, WireMessages.Sizes).Sample(
            static (bytes, sizes) =>
            {
                if (TryParse(WaferMap.Parser, bytes) is not { Message: { } map })
                {
                    return;
                }

                var whole = map.Clone();
                map.Pixels = ByteString.Empty;
                var sent = new Sent();
                Maps.ContextualSerializer(
                    Loaned.Create(map, Pieces.Of(whole.Pixels.ToByteArray(), sizes)), sent);

                Assert.Equal(whole.ToByteArray().Length, sent.Bytes.Length);
                Assert.Equal(whole, WaferMap.Parser.ParseFrom(sent.Bytes));
            },
            iter: 5_000);

    private static void Compare(Gen<byte[]> messages, long count)
    {
        Gen.Select(messages, WireMessages.Sizes).Sample(Compare, iter: count);

        // Whether they were read or not: nothing stays on loan.
        Assert.Equal(0, Pool.LoanedBytes);
    }

    private static void Compare(byte[] bytes, int[] sizes)
    {
        var pieces = Pieces.Of(bytes, sizes);
        Compare(
            WaferMap.Parser, Maps, bytes, pieces, static map => (map.Pixels, map.Pixels = ByteString.Empty).Pixels);
        Compare(
            Narrow.Parser, Narrows, bytes, pieces, static map => (map.Pixels, map.Pixels = ByteString.Empty).Pixels);
        Compare(Old.Parser, Olds, bytes, pieces, static map =>
        {
            var pixels = map.Pixels;
            map.ClearPixels();
            return pixels;
        });
    }

    private static void Compare<T>(
        MessageParser<T> parser,
        Marshaller<Loaned<T>> marshaller,
        byte[] bytes,
        ReadOnlySequence<byte> pieces,
        Func<T, ByteString> take)
        where T : class, IMessage<T>
    {
        var expected = TryParse(parser, bytes);
        if (expected.Error is { } error)
        {
            var thrown = Assert.Throws<InvalidProtocolBufferException>(
                () => marshaller.ContextualDeserializer(new Received(pieces)));
            Assert.Equal(error, thrown.Message);
            return;
        }

        using var loan = marshaller.ContextualDeserializer(new Received(pieces));
        var payload = take(expected.Message!);
        Assert.True(payload.Span.SequenceEqual(loan.Payload.ToArray()));
        Assert.Equal(payload.Length, loan.PayloadLength);
        Assert.Equal(expected.Message, loan.Message);

        // Also the unknown fields, in their order.
        Assert.Equal(expected.Message!.ToByteArray(), loan.Message.ToByteArray());
    }

    private static (T? Message, string? Error) TryParse<T>(MessageParser<T> parser, byte[] bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return (parser.ParseFrom(bytes), null);
        }
        catch (InvalidProtocolBufferException exception)
        {
            return (null, exception.Message);
        }
    }
}
