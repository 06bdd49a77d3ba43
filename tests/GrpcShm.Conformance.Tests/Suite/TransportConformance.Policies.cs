using Grpc.Core;
using Grpc.Net.Client.Configuration;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.Suite;

/// <summary>The policies of a service config, retries and hedging, and the pings that keep connections alive.</summary>
public abstract partial class TransportConformance
{
    [Fact]
    public async Task Retry_AfterFailuresThatMayBeRetried_Succeeds()
    {
        using var channel = CreateChannelWith(RetryPolicy());
        var request = new FlakyRequest { Key = NewId("flaky"), Failures = 3, Code = (int)StatusCode.Unavailable };

        var response = await new TestService.TestServiceClient(channel).FlakyAsync(request, Call()).InTime();

        Assert.Equal(4, response.Attempt);
        Assert.Equal("3", response.PreviousAttempts);
    }

    [Fact]
    public async Task Retry_AfterTheLastAttempt_FailsWithItsStatus()
    {
        using var channel = CreateChannelWith(RetryPolicy());
        var request = new FlakyRequest { Key = NewId("hopeless"), Failures = 100, Code = (int)StatusCode.Unavailable };

        var failure = await new TestService.TestServiceClient(channel).FlakyAsync(request, Call()).FailsInTime();

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal("attempt 4", failure.Status.Detail);
    }

    [Fact]
    public async Task Retry_AfterAFailureThatMayNotBeRetried_FailsAtOnce()
    {
        using var channel = CreateChannelWith(RetryPolicy());
        var request = new FlakyRequest { Key = NewId("final"), Failures = 1, Code = (int)StatusCode.DataLoss };

        var failure = await new TestService.TestServiceClient(channel).FlakyAsync(request, Call()).FailsInTime();

        Assert.Equal("attempt 1", failure.Status.Detail);
    }

    [Fact]
    public async Task Hedging_FirstAttemptHangs_SecondAnswersAndFirstIsCancelled()
    {
        using var channel = CreateChannelWith(new MethodConfig
        {
            Names = { MethodName.Default },
            HedgingPolicy = new HedgingPolicy
            {
                MaxAttempts = 2,
                HedgingDelay = TimeSpan.FromMilliseconds(10),
                NonFatalStatusCodes = { StatusCode.Unavailable },
            },
        });
        var request = new AnswerOneAttemptRequest { Key = NewId("hedged"), Attempt = 2 };

        var response = await new TestService.TestServiceClient(channel).AnswerOneAttemptAsync(request, Call()).InTime();

        Assert.Equal(2, response.Attempt);
        await Server.WhenCallAsync($"{request.Key}#1", CallPhase.Cancelled);
    }

    private static MethodConfig RetryPolicy() => new()
    {
        Names = { MethodName.Default },
        RetryPolicy = new RetryPolicy
        {
            MaxAttempts = 4,
            InitialBackoff = TimeSpan.FromMilliseconds(5),
            MaxBackoff = TimeSpan.FromMilliseconds(20),
            BackoffMultiplier = 2,
            RetryableStatusCodes = { StatusCode.Unavailable },
        },
    };

    private TestChannel CreateChannelWith(MethodConfig config) => Server.CreateChannel(new()
    {
        ConfigureChannel = options => options.ServiceConfig = new ServiceConfig { MethodConfigs = { config } },
    });
}
