using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcShm.TestHost.Contracts;
using Microsoft.AspNetCore.Connections.Features;
using Status = Grpc.Core.Status;

namespace GrpcShm.TestHost.Services;

/// <summary>Implements <c>conformance.proto</c>; this part has the calls with one request and one answer.</summary>
internal sealed partial class ConformanceService(
    CallRegistry calls, GateRegistry gates, AttemptRegistry attempts)
    : TestService.TestServiceBase
{
    public override Task<Empty> Nothing(Empty request, ServerCallContext context) => Task.FromResult(new Empty());

    public override Task<UnaryResponse> Unary(UnaryRequest request, ServerCallContext context) =>
        AnswerAsync(request, context);

    /// <summary>Answers a request for any of the services.</summary>
    public static async Task<UnaryResponse> AnswerAsync(UnaryRequest request, ServerCallContext context)
    {
        CompressionWitness.Check(
            request.HasExpectCompressed,
            request.ExpectCompressed,
            CompressionWitness.Count(context.GetHttpContext()) > 0);
        if (request.Status is { } status)
        {
            throw ToException(status);
        }

        if (request.Response is { Compress: true })
        {
            await EnableCompressionAsync(context);
        }

        return new UnaryResponse
        {
            Body = TestBody.Create(request.Response ?? new Piece()),
            RequestHash = TestBody.Hash(request.Body),
        };
    }

    public override async Task<Empty> Wait(WaitRequest request, ServerCallContext context)
    {
        if (request.SendHeadersFirst)
        {
            await context.WriteResponseHeadersAsync([]);
        }

        await gates.WaitAsync(request.Gate, context.CancellationToken);
        return new Empty();
    }

    public override async Task<MeetResponse> Meet(MeetRequest request, ServerCallContext context)
    {
        if (attempts.Count(request.Group) == request.Count)
        {
            gates.Open(request.Group);
        }

        await gates.WaitAsync(request.Group, context.CancellationToken);
        return new MeetResponse { ConnectionId = context.GetHttpContext().Connection.Id };
    }

    public override Task<AttemptResponse> Flaky(FlakyRequest request, ServerCallContext context)
    {
        var attempt = attempts.Count(request.Key);
        return attempt > request.Failures
            ? Task.FromResult(Describe(attempt, context))
            : throw ToException(new StatusWish { Code = request.Code, Message = $"attempt {attempt}" });
    }

    public override async Task<AttemptResponse> AnswerOneAttempt(
        AnswerOneAttemptRequest request, ServerCallContext context)
    {
        var attempt = attempts.Count(request.Key);
        if (attempt == request.Attempt)
        {
            return Describe(attempt, context);
        }

        var record = calls[string.Create(CultureInfo.InvariantCulture, $"{request.Key}#{attempt}")];
        record.Reach(CallPhase.Started);
        try
        {
            await gates.WaitAsync($"{request.Key}: nobody opens this", context.CancellationToken);
            throw new InvalidOperationException("The gate that nobody opens is open.");
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            record.Reach(CallPhase.Cancelled);
            throw;
        }
    }

    public override Task<Empty> Throw(ThrowRequest request, ServerCallContext context) =>
        throw new InvalidOperationException(request.Message);

    public override Task<Empty> FailWithDetails(FailWithDetailsRequest request, ServerCallContext context)
    {
        var violation =
            new BadRequest.Types.FieldViolation { Field = request.Field, Description = request.Description };
        throw new Google.Rpc.Status
        {
            Code = request.Code,
            Message = request.Message,
            Details = { Any.Pack(new BadRequest { FieldViolations = { violation } }) },
        }.ToRpcException();
    }

    public override Task<DescribeResponse> Describe(Empty request, ServerCallContext context)
    {
        var http = context.GetHttpContext();
        var endPoints = http.Features.Get<IConnectionEndPointFeature>();
        return Task.FromResult(new DescribeResponse
        {
            ConnectionId = http.Connection.Id,
            Protocol = http.Request.Protocol,
            Scheme = http.Request.Scheme,
            Peer = context.Peer,
            LocalEndPoint = endPoints?.LocalEndPoint?.ToString() ?? "",
            RemoteEndPoint = endPoints?.RemoteEndPoint?.ToString() ?? "",
            Deadline = context.Deadline == DateTime.MaxValue ? null : Timestamp.FromDateTime(context.Deadline),
            ProcessId = Environment.ProcessId,
            ContextType = context.GetType().FullName,
        });
    }

    private static AttemptResponse Describe(int attempt, ServerCallContext context) => new()
    {
        Attempt = attempt,
        PreviousAttempts = context.RequestHeaders.GetValue("grpc-previous-rpc-attempts") ?? "",
    };

    private static RpcException ToException(StatusWish wish) => new(new Status((StatusCode)wish.Code, wish.Message));

    // The server compresses if its options or these headers say so. A single message can still be sent uncompressed.
    private static Task EnableCompressionAsync(ServerCallContext context) =>
        context.WriteResponseHeadersAsync(new Metadata { { MetadataKeys.RequestCompression, "gzip" } });
}
