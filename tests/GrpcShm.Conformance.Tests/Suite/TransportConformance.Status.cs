using System.Buffers.Binary;
using System.Net.Http.Headers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The ways in which calls fail, and the status that the client gets.</summary>
public abstract partial class TransportConformance
{
    [Theory]
    [MemberData(nameof(FailureCodes))]
    public async Task Unary_StatusCodeAndMessage_Arrive(StatusCode code)
    {
        var status = new StatusWish { Code = (int)code, Message = "test status message" };

        var failure = await Client.UnaryAsync(new UnaryRequest { Status = status }, Call()).FailsInTime();

        Assert.Equal(code, failure.StatusCode);
        Assert.Equal("test status message", failure.Status.Detail);
    }

    public static TheoryData<StatusCode> FailureCodes() =>
        [.. System.Enum.GetValues<StatusCode>().Where(code => code != StatusCode.OK)];

    [Fact]
    public async Task Converse_StatusCodeAndMessage_Arrive()
    {
        using var call = Client.Converse(Call());
        var status = new StatusWish { Code = (int)StatusCode.Unknown, Message = "test status message" };
        await call.RequestStream.WriteAsync(new ConverseRequest { Status = status }, TestToken).InTime();

        var failure = await call.ResponseStream.MoveNext(TestToken).FailsInTime();

        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.Equal("test status message", failure.Status.Detail);
    }

    [Theory]
    [InlineData("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")]
    [InlineData("100 % percent, %41 not decoded twice, \"quotes\" and \\ and \u007f")]
    [InlineData("")]
    public async Task Unary_SpecialStatusMessage_ArrivesUnchanged(string message)
    {
        var status = new StatusWish { Code = (int)StatusCode.Unknown, Message = message };

        var failure = await Client.UnaryAsync(new UnaryRequest { Status = status }, Call()).FailsInTime();

        Assert.Equal(message, failure.Status.Detail);
    }

    [Fact]
    public async Task Produce_FailsAfterMessages_MessagesArriveFirst()
    {
        var pieces = ResponseSizes.Select(NewPiece).ToList();
        var status = new StatusWish { Code = (int)StatusCode.DataLoss, Message = "the rest is lost" };
        using var call = Client.Produce(new ProduceRequest { Pieces = { pieces }, Status = status }, Call());

        foreach (var piece in pieces)
        {
            Assert.True(await call.ResponseStream.MoveNext(TestToken).InTime());
            Assert.Equal(TestBody.Create(piece), call.ResponseStream.Current.Body);
        }

        var failure = await call.ResponseStream.MoveNext(TestToken).FailsInTime();
        Assert.Equal(StatusCode.DataLoss, failure.StatusCode);
    }

    [Fact]
    public async Task FailWithDetails_StatusDetails_Arrive()
    {
        var request = new FailWithDetailsRequest
        {
            Code = (int)StatusCode.InvalidArgument,
            Message = "does not fit",
            Field = "größe",
            Description = "larger than the box",
        };

        var failure = await Client.FailWithDetailsAsync(request, Call()).FailsInTime();

        var status = failure.GetRpcStatus();
        Assert.NotNull(status);
        Assert.Equal(request.Message, status.Message);
        var violation = Assert.Single(status.GetDetail<BadRequest>()!.FieldViolations);
        Assert.Equal(request.Field, violation.Field);
        Assert.Equal(request.Description, violation.Description);
    }

    [Fact]
    public async Task TrailersOnly_FailureBeforeAnyMessage_IsOneHeaderBlock()
    {
        // gRPC's own client hides the difference, so this test uses plain HTTP.
        var message = new UnaryRequest
        {
            Status = new StatusWish { Code = (int)StatusCode.FailedPrecondition, Message = "not now" },
        };
        using var client = Server.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/grpcshm.testing.v1.TestService/Unary")
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
            Content = new ByteArrayContent(Frame(message)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));

        using var response = await client.SendAsync(request, TestToken).InTime();

        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestToken).InTime());
        Assert.Equal(["9"], response.Headers.GetValues("grpc-status"));
        Assert.Equal(["not now"], response.Headers.GetValues("grpc-message"));
        Assert.Empty(response.TrailingHeaders);
    }

    [Fact]
    public async Task NeverImplemented_UnimplementedMethod_IsUnimplemented()
    {
        var failure = await Client.NeverImplementedAsync(new Empty(), Call()).FailsInTime();

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task UnknownMethod_OfAKnownService_IsUnimplemented()
    {
        var empty = Marshallers.Create(message => message.ToByteArray(), Empty.Parser.ParseFrom);
        var method = new Method<Empty, Empty>(
            MethodType.Unary, "grpcshm.testing.v1.TestService", "FromTheFuture", empty, empty);
        using var call = Channel.CreateCallInvoker().AsyncUnaryCall(method, null, Call(), new Empty());

        Assert.Equal(StatusCode.Unimplemented, (await call.FailsInTime()).StatusCode);
    }

    [Fact]
    public async Task Absent_UnimplementedService_IsUnimplemented()
    {
        var failure = await new Absent.AbsentClient(Channel).AnythingAsync(new Empty(), Call()).FailsInTime();

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Throw_HandlerThrows_IsUnknownAndKeepsItsSecrets()
    {
        var failure = await Client.ThrowAsync(new ThrowRequest { Message = "secret" }, Call()).FailsInTime();

        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.DoesNotContain("secret", failure.Status.Detail, StringComparison.Ordinal);
        await AssertStillServesAsync();
    }

    private static byte[] Frame(UnaryRequest message)
    {
        var bytes = new byte[5 + message.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), message.CalculateSize());
        message.WriteTo(bytes.AsSpan(5));
        return bytes;
    }
}
