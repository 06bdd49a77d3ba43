using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>Metadata both ways, response headers and trailers.</summary>
public abstract partial class TransportConformance
{
    private const string InitialBinary = MetadataKeys.EchoInitial + "-bin";
    private const string TrailingBinary = MetadataKeys.EchoTrailing + "-bin";

    [Fact]
    public async Task CustomMetadata_OnUnary_ComesBackInHeadersAndTrailers()
    {
        var binary = new byte[] { 0, 0xab, 0xff, 0x0a, 0x20 };
        using var call = Client.NothingAsync(new Empty(), Call(new Metadata
        {
            { MetadataKeys.EchoInitial, "initial value" },
            { InitialBinary, binary },
            { MetadataKeys.EchoTrailing, "trailing value" },
            { TrailingBinary, binary },
        }));

        var headers = await call.ResponseHeadersAsync.InTime();
        await call.InTime();
        var trailers = call.GetTrailers();

        Assert.Equal("initial value", headers.GetValue(MetadataKeys.EchoInitial));
        Assert.Equal(binary, headers.GetValueBytes(InitialBinary));
        Assert.Equal("trailing value", trailers.GetValue(MetadataKeys.EchoTrailing));
        Assert.Equal(binary, trailers.GetValueBytes(TrailingBinary));
    }

    [Fact]
    public async Task CustomMetadata_OnDuplex_ComesBackInHeadersAndTrailers()
    {
        using var call = Client.Converse(Call(new Metadata
        {
            { MetadataKeys.EchoInitial, "initial value" },
            { TrailingBinary, [1, 2, 3] },
        }));

        // The headers arrive although neither side has sent a message yet.
        var headers = await call.ResponseHeadersAsync.InTime();
        await call.RequestStream.CompleteAsync().InTime();
        await ReadAllAsync(call.ResponseStream);

        Assert.Equal("initial value", headers.GetValue(MetadataKeys.EchoInitial));
        Assert.Equal([1, 2, 3], call.GetTrailers().GetValueBytes(TrailingBinary));
    }

    [Fact]
    public async Task CustomMetadata_OneKeyWithAndWithoutAValue_KeepsAllOfThem()
    {
        using var call = Client.NothingAsync(new Empty(), Call(new Metadata
        {
            { MetadataKeys.EchoInitial, "" },
            { MetadataKeys.EchoInitial, "one" },
            { MetadataKeys.EchoInitial, "" },
        }));

        var headers = await call.ResponseHeadersAsync.InTime();
        await call.InTime();

        // The values are joined as in HTTP.
        Assert.Equal(
            ", one, ", string.Join(", ", headers.GetAll(MetadataKeys.EchoInitial).Select(entry => entry.Value)));
    }

    [Theory]
    [InlineData("not ASCII")]
    [InlineData("too large")]
    public async Task Metadata_ThatCannotBeSent_IsInternalAndNotTriedAgain(string what)
    {
        var value = what == "not ASCII" ? "Müller" : new string('x', 100 * KiB);
        using var channel = CreateChannelWith(RetryPolicy());
        var client = new TestService.TestServiceClient(channel);

        // At this time the client knows the server's limits.
        await client.NothingAsync(new Empty(), Call()).InTime();

        // No server has refused the call, so the status must not be Unavailable, which would make clients try again.
        var failure = await client.NothingAsync(new Empty(), Call(new Metadata { { "x-user", value } })).FailsInTime();

        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        await AssertStillServesAsync();
    }

    [Fact]
    public async Task Metadata_TooLarge_FailsItsCallAlone()
    {
        var large = new Metadata { { MetadataKeys.EchoInitial, new string('x', 100 * KiB) } };

        await Client.NothingAsync(new Empty(), Call(large)).FailsInTime();
        await AssertStillServesAsync();
    }

    [Fact]
    public async Task StatusMessage_TooLarge_FailsItsCallAlone()
    {
        var wish = new StatusWish { Code = (int)StatusCode.NotFound, Message = new string('x', 100 * KiB) };

        await Client.UnaryAsync(new UnaryRequest { Status = wish }, Call()).FailsInTime();
        await AssertStillServesAsync();
    }

    [Fact]
    public async Task CustomMetadata_OneKeySeveralTimes_KeepsAllValuesInOrder()
    {
        using var call = Client.NothingAsync(new Empty(), Call(new Metadata
        {
            { MetadataKeys.EchoInitial, "one" },
            { MetadataKeys.EchoInitial, "two" },
            { MetadataKeys.EchoTrailing, "three" },
            { MetadataKeys.EchoTrailing, "four" },
        }));

        var headers = await call.ResponseHeadersAsync.InTime();
        await call.InTime();

        Assert.Equal("one, two", Joined(headers, MetadataKeys.EchoInitial));
        Assert.Equal("three, four", Joined(call.GetTrailers(), MetadataKeys.EchoTrailing));

        // HTTP allows each part on the way to join the values of a key, and Grpc.AspNetCore does this.
        static string Joined(Metadata metadata, string key) =>
            string.Join(", ", metadata.GetAll(key).Select(entry => entry.Value));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(6000)]
    public async Task CustomMetadata_OfSize_ArrivesUnchanged(int size)
    {
        // Three of the largest values do not fit into one HTTP/2 frame.
        var text = new string('t', size);
        var binary = TestBody.Create(NewPiece(size)).ToByteArray();
        using var call = Client.NothingAsync(new Empty(), Call(new Metadata
        {
            { MetadataKeys.EchoInitial, text },
            { InitialBinary, binary },
            { TrailingBinary, binary },
        }));

        var headers = await call.ResponseHeadersAsync.InTime();
        await call.InTime();

        Assert.Equal(text, headers.GetValue(MetadataKeys.EchoInitial));
        Assert.Equal(binary, headers.GetValueBytes(InitialBinary));
        Assert.Equal(binary, call.GetTrailers().GetValueBytes(TrailingBinary));
    }

    [Fact]
    public async Task ResponseHeaders_SentBeforeTheFirstMessage_ArriveBeforeIt()
    {
        var gate = NewId("headers first");
        var request = new ProduceRequest { GateAfterHeaders = gate, Pieces = { NewPiece(10) } };
        using var call = Client.Produce(request, Call());

        // The server cannot send its message before this test opens the gate.
        var headers = await call.ResponseHeadersAsync.InTime();
        await Server.OpenGateAsync(gate);
        var responses = await ReadAllAsync(call.ResponseStream);

        Assert.Equal("yes", headers.GetValue("x-before-messages"));
        Assert.Single(responses);
    }

    [Fact]
    public async Task Trailers_OfAFailedCall_Arrive()
    {
        var request = new UnaryRequest { Status = new StatusWish { Code = (int)StatusCode.Aborted, Message = "no" } };
        var headers = new Metadata { { MetadataKeys.EchoTrailing, "said at the end" }, { TrailingBinary, [9] } };

        var failure = await Client.UnaryAsync(request, Call(headers)).FailsInTime();

        Assert.Equal("said at the end", failure.Trailers.GetValue(MetadataKeys.EchoTrailing));
        Assert.Equal([9], failure.Trailers.GetValueBytes(TrailingBinary));
    }
}
