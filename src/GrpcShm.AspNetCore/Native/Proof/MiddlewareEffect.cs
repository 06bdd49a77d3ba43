namespace GrpcShm.AspNetCore.Native.Proof;

internal enum MiddlewareEffect
{
    /// <summary>It passes the call on, and neither the call nor anybody else can notice that it was there.</summary>
    Indifferent,

    /// <summary>
    /// It passes the call on as it is set up now. But the application can set it up otherwise without being noticed, or
    /// a handler can see that it was there. So it is left out only where the application has asked for that.
    /// </summary>
    MayAct,

    /// <summary>It acts on the call, or this library cannot prove that it does not.</summary>
    Acts,

    /// <summary>It is the application's own, or that of another package, and nobody but its author knows.</summary>
    Unknown,
}
