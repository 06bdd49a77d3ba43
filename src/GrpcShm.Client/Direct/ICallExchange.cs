using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>
/// What is said in a call: writes what is asked, and reads what is answered, in the terms of whoever makes calls.
/// Pooled with its call, and made once for it.
/// </summary>
internal interface ICallExchange
{
    /// <summary>Writes the headers. Before the connection knows the call.</summary>
    /// <returns>Why direct mode does not carry the call, if so.</returns>
    /// <exception cref="InvalidOperationException">They are more than direct mode has room for.</exception>
    string? WriteHeaders(IPendingCall pending, CallTarget target);

    /// <summary>Tells who listens that the call begins. They are foreign code and may throw.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="connection">The number of its connection.</param>
    void TellBegun(IPendingCall pending, long connection);

    /// <summary>
    /// Sends the rest of what is asked. <see cref="ClientCall.EndRequest"/> or <see cref="ClientCall.FailRequest"/> has
    /// to follow.
    /// </summary>
    void SendContent(IPendingCall pending);

    /// <summary>Reads the headers of the response. By the thread that receives.</summary>
    /// <param name="headers">The headers.</param>
    /// <param name="pending">The call, unless it has been given up meanwhile.</param>
    void ReadHeaders(ref HeaderReader headers, IPendingCall? pending);

    /// <summary>Reads the trailers of the response. By the thread that receives.</summary>
    /// <param name="trailers">The trailers.</param>
    /// <param name="isHandedOver">Whether the response may be its reader's by now, who alone may change it.</param>
    void ReadTrailers(ref HeaderReader trailers, bool isHandedOver);

    /// <summary>Says what is wrong with a response that is none.</summary>
    Exception DescribeRefusal(Exception exception);

    /// <summary>Hands the response over to whoever waits for it. By the completion.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="isWhole">Whether all of the response is here. If not, the call is given up with a response that
    /// nobody reads.</param>
    void HandOver(IPendingCall pending, bool isWhole);

    /// <summary>Makes it as new.</summary>
    void Reuse();
}
