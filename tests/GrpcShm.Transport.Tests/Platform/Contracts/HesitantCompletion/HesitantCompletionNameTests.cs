using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

public sealed class HesitantCompletionNameTests() : NameContract(new HesitantMake(new CompletionMake()));
