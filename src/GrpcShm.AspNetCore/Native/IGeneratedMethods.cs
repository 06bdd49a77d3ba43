using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native;

/// <summary>The methods of a service that gRPC's generated code binds, whatever the service is.</summary>
internal interface IGeneratedMethods
{
    /// <summary>Makes the native method of an endpoint.</summary>
    /// <param name="method">
    /// The method that the endpoint names. It has to be the very object of the generated code: else some other code has
    /// bound it, to a handler that only that code knows.
    /// </param>
    /// <param name="endPoint">The endpoint.</param>
    /// <returns>The native method; nothing if it is not one of the generated code.</returns>
    NativeMethod? Find(IMethod method, Endpoint endPoint);
}
