using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>Limits on the size of messages, which each side sets for itself.</summary>
public abstract partial class TransportConformance
{
    private const int Limit = 64 * KiB;

    [Fact]
    public async Task MessageSize_BeyondWhatTheServerReceives_IsResourceExhausted()
    {
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(Limit + 1)) };

        var failure = await new Limited.LimitedClient(Channel).UnaryAsync(request, Call()).FailsInTime();

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        await AssertStillServesAsync();
    }

    [Fact]
    public async Task MessageSize_BeyondWhatTheServerSends_IsResourceExhausted()
    {
        var request = new UnaryRequest { Response = NewPiece(Limit + 1) };

        var failure = await new Limited.LimitedClient(Channel).UnaryAsync(request, Call()).FailsInTime();

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        await AssertStillServesAsync();
    }

    [Fact]
    public async Task MessageSize_WithinTheServersLimits_Passes()
    {
        var request =
            new UnaryRequest { Body = TestBody.Create(NewPiece(Limit - 100)), Response = NewPiece(Limit - 100) };

        var response = await new Limited.LimitedClient(Channel).UnaryAsync(request, Call()).InTime();

        Assert.Equal(TestBody.Hash(request.Body), response.RequestHash);
    }

    [Fact]
    public async Task MessageSize_BeyondWhatTheClientReceives_IsResourceExhausted()
    {
        using var channel = Server.CreateChannel(
            new() { ConfigureChannel = options => options.MaxReceiveMessageSize = Limit });
        var request = new UnaryRequest { Response = NewPiece(Limit + 1) };

        var failure = await new TestService.TestServiceClient(channel).UnaryAsync(request, Call()).FailsInTime();

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        await AssertStillServesAsync(channel);
    }

    [Fact]
    public async Task MessageSize_BeyondWhatTheClientSends_IsResourceExhausted()
    {
        using var channel = Server.CreateChannel(
            new() { ConfigureChannel = options => options.MaxSendMessageSize = Limit });
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(Limit + 1)) };

        var failure = await new TestService.TestServiceClient(channel).UnaryAsync(request, Call()).FailsInTime();

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        await AssertStillServesAsync(channel);
    }

    [Fact]
    public async Task MessageSize_ByDefault_IsGrpcsOwnFourMegabytes()
    {
        await using var server = await Fixture.StartServerAsync();
        using var channel = server.CreateChannel();
        var request = new UnaryRequest { Body = TestBody.Create(NewPiece(4 * MiB)) };

        // The first call of a server is never dispatched natively, so it would not ask those who do it.
        await AssertStillServesAsync(channel);
        var failure = await new TestService.TestServiceClient(channel).UnaryAsync(request, Call()).FailsInTime();

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }
}
