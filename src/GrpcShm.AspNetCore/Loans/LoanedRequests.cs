using Grpc.Core;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Loans;

/// <summary>A stream of requests, each of which is a loan that ends with the call.</summary>
internal sealed class LoanedRequests<T>(IAsyncStreamReader<T> requests, CallLoans loans) : IAsyncStreamReader<T>
{
    public T Current => requests.Current;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await requests.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        if (requests.Current is ICallBound loan)
        {
            loans.Add(loan);
        }

        return true;
    }
}
