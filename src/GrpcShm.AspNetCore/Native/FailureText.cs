using GrpcShm.Messages;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Says in a status that a handler has failed, in the words of grpc-dotnet.</summary>
internal static class FailureText
{
    private const string Plain = "Exception was thrown by handler.";

    /// <param name="exception">The exception of the handler.</param>
    /// <param name="isDetailed">True if the client may know it.</param>
    public static string Describe(Exception exception, bool isDetailed) =>
        isDetailed ? $"{Plain} {ExceptionText.Describe(exception)}" : Plain;
}
