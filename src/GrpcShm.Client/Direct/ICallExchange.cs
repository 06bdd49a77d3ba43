using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>
/// Writes the request of a call and reads its response, in the terms of the code that makes calls (HTTP's, say). Made
/// once for a call, and pooled with it.
/// </summary>
internal interface ICallExchange
{
    /// <summary>Writes the headers of the request. Before the connection knows the call.</summary>
    /// <returns>The reason why direct mode does not carry the call; nothing if it does.</returns>
    /// <exception cref="InvalidOperationException">Direct mode has no room for so many headers.</exception>
    string? WriteHeaders(IPendingCall pending, CallTarget target);

    /// <summary>Tells listeners that the call begins. They are foreign code and may throw.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="connection">The number of its connection.</param>
    void TellBegun(IPendingCall pending, long connection);

    /// <summary>
    /// Sends the content of the request. <see cref="ClientCall.EndRequest"/> or <see cref="ClientCall.FailRequest"/>
    /// has to follow.
    /// </summary>
    void SendContent(IPendingCall pending);

    /// <summary>Reads the headers of the response. By the thread that receives.</summary>
    /// <param name="headers">The headers.</param>
    /// <param name="pending">The call; nothing if it has been given up meanwhile.</param>
    void ReadHeaders(ref HeaderReader headers, IPendingCall? pending);

    /// <summary>Reads the trailers of the response. By the thread that receives.</summary>
    /// <param name="trailers">The trailers.</param>
    /// <param name="isHandedOver">
    /// True if the response may belong to its reader by now: then nobody else may change it.
    /// </param>
    void ReadTrailers(ref HeaderReader trailers, bool isHandedOver);

    /// <summary>Makes the exception for a response that makes no sense.</summary>
    Exception DescribeRefusal(Exception exception);

    /// <summary>Hands the response to the caller. By the completion.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="isWhole">
    /// True if all of the response is here. If not, the call has to be given up when nobody reads the response.
    /// </param>
    void HandOver(IPendingCall pending, bool isWhole);

    /// <summary>Makes it as new.</summary>
    void Reuse();
}
