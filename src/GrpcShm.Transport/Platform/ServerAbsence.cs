namespace GrpcShm.Transport.Platform;

/// <summary>The places where nobody listened on an endpoint, and what was found there.</summary>
internal abstract class ServerAbsence
{
    /// <summary>
    /// Says why nobody listens, and what to do: the rest of a sentence that names the endpoint, and further sentences.
    /// Looks at the places again, so only a caller that gives up asks.
    /// </summary>
    public abstract string Describe();

    /// <summary>True if the attempts at all places ended as those of another absence did.</summary>
    public virtual bool IsSameAs(ServerAbsence other) => false;
}
