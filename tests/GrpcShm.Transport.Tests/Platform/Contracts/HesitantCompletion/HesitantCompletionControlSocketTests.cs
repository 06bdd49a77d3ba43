using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

public sealed class HesitantCompletionControlSocketTests()
    : ControlSocketContract(new HesitantMake(new CompletionMake()));
