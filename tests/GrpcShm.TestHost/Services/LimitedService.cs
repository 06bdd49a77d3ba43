using Grpc.Core;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>A service with small message limits of its own.</summary>
internal sealed class LimitedService : Limited.LimitedBase
{
    public const int MaxMessageSize = 64 * 1024;

    public override Task<UnaryResponse> Unary(UnaryRequest request, ServerCallContext context) =>
        ConformanceService.AnswerAsync(request, context);
}
