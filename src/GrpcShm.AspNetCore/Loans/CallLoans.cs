using Grpc.Core;
using GrpcShm.AspNetCore.Native;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Loans;

/// <summary>The loans of a call, which end with it: what its handler has received, and what it has returned.</summary>
/// <remarks>Under the gate: all of it. A loan is given back outside of it.</remarks>
internal sealed class CallLoans : IDisposable
{
    // A handler of a long stream that gives its loans back must not make this list grow for ever.
    private const int LeastLimit = 16;

    private readonly Lock _gate = new();
    private readonly List<ICallBound> _loans = [];
    private int _limit = LeastLimit;
    private bool _isOver;

    /// <summary>Begins, for a call.</summary>
    /// <param name="context">Its context, or one that an interceptor has put around it.</param>
    public static CallLoans Begin(ServerCallContext context)
    {
        var loans = new CallLoans();
        if (context is NativeCallContext native)
        {
            native.EndWithCall(loans);
        }
        else
        {
            context.GetHttpContext().Response.RegisterForDispose(loans);
        }

        return loans;
    }

    /// <summary>Adds a loan.</summary>
    public void Add(ICallBound loan)
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                if (_loans.Count == _limit)
                {
                    _loans.RemoveAll(static loan => loan.IsOver);
                    _limit = Math.Max(LeastLimit, 2 * _loans.Count);
                }

                _loans.Add(loan);
                return;
            }
        }

        // By a handler that was left behind.
        loan.EndWithCall();
    }

    /// <summary>Ends, with the call.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        // Nobody adds any more.
        foreach (var loan in _loans)
        {
            loan.EndWithCall();
        }

        _loans.Clear();
    }
}
