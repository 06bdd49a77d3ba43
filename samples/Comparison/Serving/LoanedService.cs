using Grpc.Core;
using GrpcShm.Loans;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>The measured service with loans as its messages.</summary>
internal sealed class LoanedService : LoanedMeasured
{
    public override Task<Loaned<Payload>> Echo(Loaned<Payload> request, ServerCallContext context) =>
        Task.FromResult(request);
}
