using Grpc.Core;
using GrpcShm.Loans;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>What the generator would write for <see cref="MeasuredLoans"/>, with loans as its messages.</summary>
[BindServiceMethod(typeof(LoanedMeasured), nameof(Bind))]
internal abstract class LoanedMeasured
{
    private static readonly Marshaller<Loaned<Payload>> Payloads =
        Loaned.CreateMarshaller(Payload.Parser, Payload.BodyFieldNumber);

    public static Method<Loaned<Payload>, Loaned<Payload>> EchoMethod { get; } = Loaned.CreateMethod(
        MeasuredLoans.Descriptor, nameof(MeasuredLoans.MeasuredLoansClient.Echo), Payloads, Payloads);

    public static void Bind(ServiceBinderBase binder, LoanedMeasured? service) =>
        binder.AddMethod(EchoMethod, service is null ? null : service.Echo);

    public abstract Task<Loaned<Payload>> Echo(Loaned<Payload> request, ServerCallContext context);
}
